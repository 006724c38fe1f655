"""Finds routes by the path as it was sent.

Source: google/api/http.proto: a path is parted into segments first, and each segment is decoded
alone. Litestar matches a path that was decoded and tidied, in which `a%2Fb` and `a//b` are `a/b`:
two programs that read one path differently are how a rule at a gateway is walked around. Litestar
is therefore given the path as it was sent; what binds a segment decodes it (`path_value`).

The route is the one whose pattern matches the path and that has the method; of several, the one
with literal segments before the one with variables. Litestar takes a literal segment where it can
and does not turn back, so a segment that a variable binds and that is a literal of another route is
shown to it with its first character escaped. A verb after a variable, as in `{id}:cancel`, is shown
to it as a segment of its own. Where a path has a verb, what ends in it has no other meaning, as in
Envoy's transcoder; a value that does is sent with its colon escaped.

It also answers HEAD as GET without a body, and OPTIONS with the methods of the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from seam.contract import Code
from seam.http.limits import MAXIMUM_TARGET_BYTES
from seam.http.problem import send_problem
from seam.http.text import shown

# What Litestar adds to every route by itself.
_ITS_OWN: Final = {"OPTIONS"}


def as_sent(app: Litestar) -> ASGIApp:
    """Wrap an application so that its routes match paths as they were sent."""
    routes = _Routes(app)

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
        segments = path.split("/")[1:]
        allowed = routes.methods(segments)
        if method == "OPTIONS" and allowed:
            await _tell_allowed(send, allowed)
            return
        asked = "GET" if method == "HEAD" else method
        found = routes.find(segments, asked)

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        answer = without_body if method == "HEAD" else send
        if found is None and allowed:
            detail = f"{method} {shown(path)}: Method Not Allowed"
            headers = [(b"allow", allowed)]
            await send_problem(answer, 405, Code.UNIMPLEMENTED, headers=headers, detail=detail)
            return
        if found is None:
            detail = f"{method} {shown(path)}: Not Found"
            await send_problem(answer, 404, Code.NOT_FOUND, detail=detail)
            return
        seen: Any = {**scope, "path": "/" + "/".join(found), "method": asked}
        await app(seen, receive, answer)

    return route


async def _tell_allowed(send: Send, allowed: bytes) -> None:
    headers = [(b"allow", allowed)]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Node:
    """Where the patterns of routes part, by their next segment."""

    __slots__ = ("literals", "methods", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.methods: set[str] = set()


class _Routes:
    """The patterns of an application's routes."""

    def __init__(self, app: Litestar) -> None:
        self._root = _Node()
        for route in app.routes:
            node = self._root
            for part in route.path.split("/")[1:]:
                if part.startswith("{"):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.literals.setdefault(part, _Node())
            node.methods |= set(getattr(route, "methods", ())) - _ITS_OWN

    def find(self, segments: Sequence[str], method: str) -> tuple[str, ...] | None:
        """Find the route of a request; gives the segments as Litestar is to see them."""
        return _find(self._root, segments, method)

    def methods(self, segments: Sequence[str]) -> bytes:
        """List the methods that a path has, as `Allow` has them; empty when it is no route's."""
        found = set(_methods(self._root, segments))
        if not found:
            return b""
        head = {"HEAD"} if "GET" in found else set()
        return ", ".join(sorted(found | head | _ITS_OWN)).encode()


def _find(node: _Node, segments: Sequence[str], method: str) -> tuple[str, ...] | None:
    if not segments:
        return () if method in node.methods else None
    segment, rest = segments[0], segments[1:]
    named, verb, verbs = _with_verb(node, segments)
    if verbs is not None:
        return (named, verb) if method in verbs.methods else None
    literal = _literal(node, segment)
    if literal is not None and (found := _find(literal, rest, method)) is not None:
        return (segment, *found)
    if node.variable is None or (found := _find(node.variable, rest, method)) is None:
        return None
    return (segment if literal is None else f"%{ord(segment[0]):02X}{segment[1:]}", *found)


def _methods(node: _Node, segments: Sequence[str]) -> Iterator[str]:
    if not segments:
        yield from node.methods
        return
    verbs = _with_verb(node, segments)[2]
    if verbs is not None:
        yield from verbs.methods
        return
    for next_node in (_literal(node, segments[0]), node.variable):
        if next_node is not None:
            yield from _methods(next_node, segments[1:])


def _literal(node: _Node, segment: str) -> _Node | None:
    # A verb follows a variable and is no segment.
    return None if segment.startswith(":") else node.literals.get(segment)


def _with_verb(node: _Node, segments: Sequence[str]) -> tuple[str, str, _Node | None]:
    """The last segment as a variable and a verb, and where that leads, if it leads anywhere."""
    if len(segments) > 1 or node.variable is None:
        return "", "", None
    named, colon, verb = segments[0].rpartition(":")
    found = node.variable.literals.get(colon + verb) if named and colon else None
    return named, colon + verb, found
