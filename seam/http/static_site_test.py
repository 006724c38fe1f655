"""Files for browsers: what is answered for each, and that nothing else can be had."""

from __future__ import annotations

import gzip
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.types import ASGIApp, Receive, Scope, Send

from seam.bus import Channel
from seam.contract import Code, ServiceDescriptor
from seam.http import application
from seam.http.problem import send_problem
from seam.http.settings import HttpSettings
from seam.http.static_site import MissingSiteError, StaticSite, with_sites

SCRIPT: Final = "export const shop = 1; // " + "a" * 5_000
PAGE: Final = "<!doctype html><title>shop</title>"
SECRET: Final = "not for anybody"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("packages")
    for name, text in {
        "shopfront/index.html": PAGE,
        "shopfront/assets/shop-1a2b3c4d.js": SCRIPT,
        "shopfront/icon.svg": "<svg/>",
        "shopfront/pictures/chair.png": "png" * 1_000,
        "shopfront/secret.py": SECRET,
        "shopfront/.secret": SECRET,
        "reference/index.html": "<title>reference</title>",
        "reference/events/index.html": "<title>events</title>",
        "secret.txt": SECRET,
        "clashing/readyz": "clashes",
        "empty/secret.py": SECRET,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))


SHOPFRONT: Final = StaticSite("/", "shopfront")
REFERENCE: Final = StaticSite("/docs", "reference", policy="default-src 'self'")


def app(*sites: StaticSite, settings: HttpSettings = HttpSettings()) -> ASGIApp:  # noqa: B008
    def channel(_: ServiceDescriptor) -> Channel:
        raise AssertionError

    async def ready() -> dict[str, Any]:
        return {"ready": True}

    return application([], channel, ready, title="shop", sites=sites, settings=settings)


def client_of(served: ASGIApp, base_url: str = "http://shop.example") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(served)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=base_url)


@pytest.fixture
def served(packages: Path) -> ASGIApp:
    return app(SHOPFRONT, REFERENCE)


@pytest.fixture
async def shop(served: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(served) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_a_folder_shows_its_index_which_is_asked_for_again_each_time(
    shop: httpx.AsyncClient, path: str
) -> None:
    answer = await shop.get(path)
    assert answer.status_code == 200
    assert answer.text == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    again = await shop.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == answer.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"


async def test_what_is_called_after_its_content_is_kept_for_ever_and_comes_compressed(
    shop: httpx.AsyncClient,
) -> None:
    path = "/assets/shop-1a2b3c4d.js"
    plain = await shop.get(path, headers={"accept-encoding": "identity"})
    assert plain.text == SCRIPT
    assert "content-encoding" not in plain.headers
    small = await shop.get(path, headers={"accept-encoding": "gzip"})
    assert small.text == SCRIPT
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(gzip.compress(SCRIPT.encode())) + 20
    for each in (plain, small):
        assert each.headers["content-type"] == "text/javascript; charset=utf-8"
        assert each.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert each.headers["vary"] == "accept-encoding"
        again = await shop.get(path, headers={"if-none-match": each.headers["etag"]})
        assert again.status_code == 304
    assert plain.headers["etag"] != small.headers["etag"]


async def test_a_page_says_what_it_may_load_and_an_api_s_answer_that_it_is_no_page(
    shop: httpx.AsyncClient,
) -> None:
    policy = "content-security-policy"
    assert "default-src 'self'" in (await shop.get("/")).headers[policy]
    assert "frame-ancestors 'none'" in (await shop.get("/")).headers[policy]
    assert (await shop.get("/docs/")).headers[policy] == "default-src 'self'"
    of_api = (await shop.get("/readyz")).headers[policy]
    assert of_api == "default-src 'none'; frame-ancestors 'none'"
    for path in ("/", "/docs/", "/readyz", "/nothing"):
        headers = (await shop.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "x-request-id" in headers
        assert len(headers.get_list(policy)) == 1
        assert len(headers.get_list("cache-control")) == 1


async def test_who_came_over_tls_is_told_to_come_over_it_again(served: ASGIApp) -> None:
    async with client_of(served, "https://shop.example") as client:
        answer = await client.get("/")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_pictures_are_not_compressed_again(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/pictures/chair.png", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-type"] == "image/png"
    assert "content-encoding" not in answer.headers


async def test_a_site_below_a_path_is_found_with_and_without_the_stroke_behind_it(
    shop: httpx.AsyncClient,
) -> None:
    answer = await shop.get("/docs")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/docs/"
    assert (await shop.get("/docs/")).text == "<title>reference</title>"
    assert (await shop.get("/docs/?page=2")).text == "<title>reference</title>"


async def test_so_is_a_folder_below_it(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/docs/events")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/docs/events/"
    assert (await shop.get("/docs/events/")).text == "<title>events</title>"
    # A folder without a page of its own is nothing to be shown.
    assert (await shop.get("/pictures")).status_code == 404


async def test_files_are_read_and_nothing_else_is_done_with_them(shop: httpx.AsyncClient) -> None:
    head = await shop.head("/")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(PAGE))
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = await shop.request(method, "/")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert answer.headers["content-type"] == "application/problem+json"
    told = await shop.options("/")
    assert told.status_code == 204
    assert told.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "path",
    [
        "/secret.py",
        "/.secret",
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "//index.html",
        "/pictures/",
        "/pictures",
        "/pictures/../index.html",
        "/docs/../index.html",
        "/INDEX.HTML",
        "/index.html/",
        "/index.html%00",
        "/docs//index.html",
    ],
)
async def test_no_path_leads_to_what_is_not_served(served: ASGIApp, path: str) -> None:
    # As it is, without a client that tidies it.
    status, body = raw(served, path)
    assert status == 404
    assert SECRET.encode() not in body


def raw(served: Any, path: str, method: str = "GET") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
        "http_version": "1.1",
    }
    coroutine = served(scope, receive, send)
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass
    return sent[0]["status"], b"".join(each["body"] for each in sent[1:])


@given(st.text(st.characters(max_codepoint=255, exclude_characters="?"), max_size=30))
def test_a_path_is_a_file_s_or_is_somebody_else_s(name: str) -> None:
    async def elsewhere(_: Scope, __: Receive, send: Send) -> None:
        await send_problem(send, 404, Code.NOT_FOUND, detail="elsewhere")

    served = with_sites(elsewhere, [SHOPFRONT], [])
    path = f"/{name}"
    if path not in {"/", "/index.html", "/icon.svg"}:
        assert raw(served, path)[0] == 404


def test_a_file_with_the_path_of_a_route_is_refused_when_the_process_starts(
    packages: Path,
) -> None:
    with pytest.raises(ValueError, match="clashing: something else is at /readyz already"):
        app(StaticSite("/", "clashing"))
    with pytest.raises(ValueError, match="shopfront: something else is at /assets/"):
        app(SHOPFRONT, SHOPFRONT)


@pytest.mark.parametrize("package", ["empty", "no_such_package"])
def test_a_site_without_files_is_refused_when_the_process_starts(
    packages: Path,
    package: str,
) -> None:
    words = f"the package '{package}' holds no files to serve at /"
    with pytest.raises(MissingSiteError, match=words):
        app(StaticSite("/", package))
