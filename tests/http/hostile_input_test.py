"""Hostile requests to every route of the shop: whatever comes, no 5xx, and refusals are problems.

The routes are those that the OpenAPI document names, so that a new service is covered by itself.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.types import ASGIApp

from director.monolith import SERVICES
from seam.bus import Channel, HandlerRegistry, InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.http import application
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing.access import EVERYBODY

TEXTS: Final = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "\0", "\ud800", "..", "%", "%2F", "a/b", "٣", "NaN", "x" * 9_000]),
)
NUMBERS: Final = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, -(2**63) - 1, 10**400, 1e308, "9" * 10_000]),
)
VALUES: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
NAMES: Final = st.one_of(
    st.sampled_from(["quantity", "sku", "cartId", "query", "pageSize", "pageToken"]), TEXTS
)
BODIES: Final = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=4).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"[" * 5_000, b'{"a":' * 5_000, b'{"quantity":1,"quantity":1}', b"\xef\xbb\xbf{}"]
    ),
    st.integers(1, 5_000).map(lambda digits: b'{"quantity":' + b"9" * digits + b"}"),
)
SEGMENTS: Final = st.one_of(
    TEXTS.map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")),
    st.sampled_from(["%ff", "%", "%zz", "%00", "..", "%2e%2e", "%2F", ";", "a%2Fb"]),
)
QUERIES: Final = st.one_of(
    st.lists(st.tuples(NAMES, TEXTS), max_size=4).map(
        lambda pairs: "&".join(
            f"{quote(name.encode('utf-8', 'surrogatepass'))}="
            f"{quote(value.encode('utf-8', 'surrogatepass'))}"
            for name, value in pairs
        )
    ),
    st.sampled_from(
        [
            "%ff",
            "=",
            "&&&",
            "a=1&" * 3_000,
            "pageSize=%D9%A3",
            "query=%00",
            "query=a" + "+a" * 3_000,
        ]
    ),
)
HEADERS: Final = st.sampled_from(
    [
        {"content-type": "application/json"},
        {"content-type": "application/json", "idempotency-key": "key"},
        {"content-type": "application/json", "idempotency-key": " "},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "text/plain"},
        {"content-type": ""},
        {"content-encoding": "gzip", "content-type": "application/json"},
        {},
    ]
)


async def ready() -> dict[str, bool]:
    return {"ready": True}


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[ASGIApp]:
    """Open the whole shop in this process, and give its application."""
    registry = HandlerRegistry(policy=EVERYBODY)
    local = InProcessChannel(registry)

    def channel(_: ServiceDescriptor) -> Channel:
        return local

    async with AsyncExitStack() as stack:
        for service in SERVICES:
            location = DatabaseLocation(f"sqlite:///{directory}/{service.name}.db", embedded=True)
            started = service.start(Resources(location, channel))
            for answering in await stack.enter_async_context(started):
                if isinstance(answering, Registration):
                    registry.register(answering)
        apis = [api for service in SERVICES for api in service.http]
        yield application(apis, channel, ready, title="shop")


@asynccontextmanager
async def shop(directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Open the whole shop in this process, and give a client of it."""
    async with opened(directory) as app:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            yield client


def check(response: httpx.Response) -> None:
    """Check that a response is an answer or a problem, and no failure of ours."""
    told = f"{response.request.method} {response.request.url}: {response.text[:300]}"
    assert response.status_code < 500, told
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json", told
        assert len(response.content) < 20_000, told
        if response.request.method != "HEAD":
            assert response.json()["status"] == response.status_code, told


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with shop(tmp_path) as opened:
        yield opened


async def routes(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    document: dict[str, Any] = (await client.get("/schema")).json()
    found = [(verb, path) for path, verbs in document["paths"].items() for verb in verbs]
    process = ("/healthz", "/readyz", "/schema", "/schema/asyncapi.json")
    return [*found, *(("get", path) for path in process)]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_no_request_is_answered_with_a_failure_or_in_another_form(
    client: httpx.AsyncClient, data: st.DataObject
) -> None:
    for verb, template in await routes(client):
        path = "/".join(
            # A verb may follow a variable, as in `{order_id}:cancel`.
            data.draw(SEGMENTS) + part.partition("}")[2] if part.startswith("{") else part
            for part in template.split("/")
        )
        query = data.draw(QUERIES)
        body = data.draw(BODIES) if verb in {"post", "put", "patch"} else None
        request = client.build_request(
            verb, "http://shop/", content=body, headers=data.draw(HEADERS)
        )
        target = path if not query else f"{path}?{query}"
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))
        check(await client.send(request))


@pytest.mark.parametrize(
    "target",
    [
        "/v1%2Finventory",
        "/v1//inventory",
        "/v1/inventory/",
        "//v1/inventory",
        "/v1/%69nventory",
        "/healthz/",
        "/%68ealthz",
    ],
)
async def test_a_path_that_only_looks_like_a_route_when_it_is_tidied_is_none(
    client: httpx.AsyncClient, target: str
) -> None:
    request = client.build_request("GET", "http://shop/")
    request.url = request.url.copy_with(raw_path=target.encode())
    response = await client.send(request)
    check(response)
    assert response.status_code == 404


async def test_a_slash_within_a_segment_leads_to_no_other_route(client: httpx.AsyncClient) -> None:
    cart = (await client.post("/v1/carts")).json()["cartId"]
    sku = (await client.get("/v1/inventory?pageSize=1")).json()["items"][0]["sku"]
    path = f"/v1/carts/{cart}/items/{sku}"
    assert (await client.put(path, json={"quantity": 1})).status_code == 200
    for target in (f"/v1/carts/{cart}%2Fitems%2F{sku}", f"{path}%2F", f"{path}/"):
        request = client.build_request("DELETE", "http://shop/")
        request.url = request.url.copy_with(raw_path=target.encode())
        check(await client.send(request))
        assert len((await client.get(f"/v1/carts/{cart}")).json()["lines"]) == 1, target


async def test_options_and_head_are_answered_for_every_path(client: httpx.AsyncClient) -> None:
    verbs: dict[str, set[str]] = {}
    for verb, path in await routes(client):
        verbs.setdefault(path, set()).add(verb.upper())
    for path, expected in verbs.items():
        allowed = expected | ({"HEAD"} if "GET" in expected else set()) | {"OPTIONS"}
        target = path.replace("{", "").replace("}", "")
        options = await client.options(target)
        assert (options.status_code, options.content) == (204, b"")
        assert set(options.headers["allow"].split(", ")) == allowed
        refused = await client.request("TRACE", target)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == allowed
        head = await client.head(target)
        assert head.content == b""
        assert (head.status_code == 405) == ("GET" not in expected)
