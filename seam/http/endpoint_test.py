"""What is answered is what a handler says, and what refuses a request is a problem."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get, post
from litestar.types import Scope

from seam.http.problem import exception_handlers
from seam.http.routing import as_sent


@get("/plain")
async def plain() -> Response[bytes]:
    return Response(b"{}", media_type="application/json")


@get("/own")
async def own() -> Response[bytes]:
    return Response(b"figures", status_code=203, headers={"Content-Type": "text/x", "X-Own": "1"})


@post("/made")
async def made() -> Response[bytes]:
    return Response(b"made", media_type="text/y")


@get("/broken")
async def broken() -> Response[bytes]:
    raise ZeroDivisionError


async def ask(method: str, path: str, **headers: str) -> httpx.Response:
    app = Litestar(
        [plain, own, made, broken],
        exception_handlers=exception_handlers({}),
        openapi_config=None,
        logging_config=None,
    )
    transport = httpx.ASGITransport(as_sent(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "body"),
    [
        ("GET", "/plain", 200, {"content-type": "application/json", "content-length": "2"}, b"{}"),
        ("HEAD", "/plain", 200, {"content-type": "application/json", "content-length": "2"}, b""),
        (
            "GET",
            "/own",
            203,
            {"content-type": "text/x", "x-own": "1", "content-length": "7"},
            b"figures",
        ),
        ("POST", "/made", 201, {"content-type": "text/y", "content-length": "4"}, b"made"),
    ],
)
async def test_status_headers_and_body_are_those_of_the_handler(
    method: str, path: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    answer = await ask(method, path)
    assert (answer.status_code, answer.content) == (status, body)
    assert sorted(answer.headers.multi_items()) == sorted(headers.items())


async def test_a_handler_that_fails_is_a_problem_without_its_reason() -> None:
    answer = await ask("GET", "/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize("host", ["shop", "shop:80", "[::1]:80", "a%20b", ""])
async def test_a_host_is_taken(host: str) -> None:
    assert (await ask("GET", "/plain", host=host)).status_code == 200


@pytest.mark.parametrize("host", ["a b", "a/b", "a?b", "a#b", "a\tb"])
async def test_what_is_no_host_is_refused(host: str) -> None:
    answer = await ask("GET", "/plain", host=host)
    assert answer.status_code == 400
    assert "host" in answer.json()["detail"]


def test_a_handler_that_wants_more_than_the_request_is_refused_at_once() -> None:
    @get("/x")
    async def more(scope: Scope) -> Response[bytes]:
        raise NotImplementedError(scope)

    @get("/y", sync_to_thread=False)
    def blocking() -> Response[bytes]:
        raise NotImplementedError

    for handler in (more, blocking):
        app: Any = Litestar([handler], openapi_config=None)
        with pytest.raises(ValueError, match="expected an asynchronous function"):
            as_sent(app)
