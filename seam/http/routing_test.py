"""The route of a request is the one that matches its path and has its method."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get, post, put

from seam.http import HttpRequest, path_value
from seam.http.problem import exception_handlers
from seam.http.routing import as_sent


def told(route: str, request: HttpRequest) -> Response[bytes]:
    bound = {name: path_value(request, name) for name in sorted(request.path_params)}
    return Response(f"{route} {bound}".encode())


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    @get("/v1/{a:str}/b")
    async def ends_in_b(request: HttpRequest) -> Response[bytes]:
        return told("{a}/b", request)

    @get("/v1/c/{b:str}")
    async def begins_with_c(request: HttpRequest) -> Response[bytes]:
        return told("c/{b}", request)

    @post("/v1/{b:str}/{a:str}")
    async def anything(request: HttpRequest) -> Response[bytes]:
        return told("{b}/{a}", request)

    @put("/v1/c/b")
    async def literal(request: HttpRequest) -> Response[bytes]:
        return told("c/b", request)

    @post("/v3/{a:str}/:verb")
    async def with_verb(request: HttpRequest) -> Response[bytes]:
        return told("{a}:verb", request)

    @get("/v3/{a:str}")
    async def alone(request: HttpRequest) -> Response[bytes]:
        return told("{a}", request)

    handlers: list[Any] = [ends_in_b, begins_with_c, anything, literal, with_verb, alone]
    app = Litestar(handlers, exception_handlers=exception_handlers({}), openapi_config=None)
    transport = httpx.ASGITransport(as_sent(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/v1/x/b", "{a}/b {'a': 'x'}"),
        ("GET", "/v1/c/x", "c/{b} {'b': 'x'}"),
        ("GET", "/v1/c/b", "c/{b} {'b': 'b'}"),
        ("PUT", "/v1/c/b", "c/b {}"),
        ("POST", "/v1/c/b", "{b}/{a} {'a': 'b', 'b': 'c'}"),
        ("POST", "/v1/c/x", "{b}/{a} {'a': 'x', 'b': 'c'}"),
        ("POST", "/v1/x/b", "{b}/{a} {'a': 'b', 'b': 'x'}"),
        ("POST", "/v1/x/y", "{b}/{a} {'a': 'y', 'b': 'x'}"),
        ("POST", "/v1/%63/b", "{b}/{a} {'a': 'b', 'b': 'c'}"),
        ("POST", "/v1/v1/a%2Fb", "{b}/{a} {'a': 'a/b', 'b': 'v1'}"),
        ("POST", "/v3/x:verb", "{a}:verb {'a': 'x'}"),
        ("POST", "/v3/x:y:verb", "{a}:verb {'a': 'x:y'}"),
        ("POST", "/v3/x%3A:verb", "{a}:verb {'a': 'x:'}"),
        ("GET", "/v3/x:other", "{a} {'a': 'x:other'}"),
        ("GET", "/v3/x%3Averb", "{a} {'a': 'x:verb'}"),
    ],
)
async def test_a_request_finds_the_route_that_has_its_method(
    client: httpx.AsyncClient, method: str, path: str, answer: str
) -> None:
    response = await client.request(method, path)
    assert (response.status_code // 100, response.text) == (2, answer)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/c/b", "GET, HEAD, OPTIONS, POST, PUT"),
        ("/v1/c/x", "GET, HEAD, OPTIONS, POST"),
        ("/v1/x/y", "OPTIONS, POST"),
    ],
)
async def test_a_path_tells_the_methods_of_all_its_routes(
    client: httpx.AsyncClient, path: str, methods: str
) -> None:
    asked = await client.options(path)
    assert (asked.status_code, asked.headers["allow"]) == (204, methods)
    refused = await client.delete(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    assert refused.headers["content-type"] == "application/problem+json"
    head = await client.head(path)
    assert head.status_code == (200 if "HEAD" in methods else 405)
    assert head.content == b""


async def test_what_ends_in_a_verb_has_no_other_meaning(client: httpx.AsyncClient) -> None:
    refused = await client.get("/v3/x:verb")
    assert (refused.status_code, refused.headers["allow"]) == (405, "OPTIONS, POST")
    assert (await client.post("/v3/:verb")).status_code == 405
    assert (await client.post("/v3/x/:verb")).status_code == 404


async def test_a_path_of_no_route_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/v1", "/v1/a", "/v1/a/b/c", "/v2/a/b", "/" + "a/" * 4_000 + "a"):
        assert (await client.get(path)).status_code == 404
