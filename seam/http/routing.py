"""Finds routes by the path as it was sent.

Source: google/api/http.proto: a path is parted into segments first, and each segment is decoded
alone. Litestar matches a path that was decoded and tidied, in which `a%2Fb` and `a//b` are `a/b`:
two programs that read one path differently are how a rule at a gateway is walked around. Litestar
is therefore given the path as it was sent; what binds a segment decodes it (`path_value`).

It also answers HEAD as GET without a body, and OPTIONS with the methods of the path.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from seam.contract import Code
from seam.http.limits import MAXIMUM_TARGET_BYTES
from seam.http.problem import send_problem
from seam.http.text import shown

_Pattern = tuple[str | None, ...]

# What Litestar adds to every route by itself.
_ITS_OWN: Final = {"OPTIONS"}


def as_sent(app: Litestar) -> ASGIApp:
    """Wrap an application so that its routes match paths as they were sent."""
    methods = _Methods(app)

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        raw = scope["raw_path"].partition(b"?")[0]
        query = scope["query_string"]
        if len(raw) > MAXIMUM_TARGET_BYTES or len(query) > MAXIMUM_TARGET_BYTES:
            detail = f"expected a path and a query of at most {MAXIMUM_TARGET_BYTES} bytes each"
            await send_problem(send, 414, Code.INVALID_ARGUMENT, detail=detail)
            return
        path = raw.decode("latin-1")
        if "//" in path or (path.endswith("/") and path != "/") or not path.startswith("/"):
            detail = f"{scope['method']} {shown(path)}: Not Found"
            await send_problem(send, 404, Code.NOT_FOUND, detail=detail)
            return
        method = str(scope["method"])
        if method == "OPTIONS":
            allowed = methods.of(path)
            if allowed:
                headers = [(b"allow", allowed)]
                await send({"type": "http.response.start", "status": 204, "headers": headers})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                others = [each for each in message["headers"] if each[0].lower() != b"allow"]
                message["headers"] = [*others, (b"allow", methods.of(path))]
            elif message["type"] == "http.response.body" and method == "HEAD":
                message["body"] = b""
            await send(message)

        seen: Any = {**scope, "path": path, "method": "GET" if method == "HEAD" else method}
        await app(seen, receive, answer)

    return route


class _Methods:
    """The methods of each path."""

    def __init__(self, app: Litestar) -> None:
        self._patterns: list[tuple[_Pattern, set[str]]] = [
            (_pattern(route.path), set(getattr(route, "methods", ())) - _ITS_OWN)
            for route in app.routes
        ]

    def of(self, path: str) -> bytes:
        """List the methods of the route that Litestar finds, as `Allow` has them."""
        segments = tuple(path.split("/")[1:])
        matching = [each for each in self._patterns if _matches(each[0], segments)]
        if not matching:
            return b""
        # A literal segment goes before a variable.
        _, methods = min(matching, key=lambda each: [part is None for part in each[0]])
        return ", ".join(sorted(_with_head(methods) | _ITS_OWN)).encode()


def _with_head(methods: Iterable[str]) -> set[str]:
    found = set(methods)
    return found | {"HEAD"} if "GET" in found else found


def _pattern(path: str) -> _Pattern:
    parts = path.split("/")[1:]
    return tuple(None if part.startswith("{") else part for part in parts)


def _matches(pattern: _Pattern, segments: tuple[str, ...]) -> bool:
    return len(pattern) == len(segments) and all(
        part is None or part == segment for part, segment in zip(pattern, segments, strict=True)
    )
