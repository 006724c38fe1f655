"""Finds the route of a request by the path as it was sent, and calls its handler.

Source: google/api/http.proto: a path is parted into segments first, and each segment is decoded
alone. Litestar matches a path that was decoded and tidied, in which `a%2Fb` and `a//b` are `a/b`:
two programs that read one path differently are how a rule at a gateway is walked around. So routes
are declared with Litestar, and found here; what binds a segment decodes it (`path_value`).

The route is the one whose pattern matches the path and that has the method; of several, the one
with literal segments before the one with variables. A verb after a variable, as in `{id}:cancel`,
is declared as a segment of its own. Where a path has a verb, what ends in it has no other meaning,
as in Envoy's transcoder; a value that does is sent with its colon escaped.

It also answers HEAD as GET, whose body `seam.http.gateway` leaves out, and OPTIONS with the methods
of the path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from seam.contract import Code
from seam.http.endpoint import Endpoint
from seam.http.limits import MAXIMUM_TARGET_BYTES
from seam.http.problem import send_problem
from seam.http.text import shown

# What Litestar adds to every route by itself.
_ITS_OWN: Final = {"OPTIONS"}


def as_sent(app: Litestar, *, safe: Collection[str] = ()) -> ASGIApp:
    """Serve the routes of an application by paths as they were sent.

    Args:
        app: the application.
        safe: names of the route handlers that have no side effects.

    Raises:
        ValueError: a handler takes something else than the request.
    """
    routes = _Routes(app, safe)

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
            await _refuse(send, scope["method"], path, b"")
            return
        method = str(scope["method"])
        segments = path.split("/")[1:]
        found = routes.find(segments, "GET" if method == "HEAD" else method)
        if found is not None:
            await found.endpoint.answer(scope, receive, send, found.values)
            return
        allowed = routes.methods(segments)
        if method == "OPTIONS" and allowed:
            await _tell_allowed(send, allowed)
            return
        await _refuse(send, method, path, allowed)

    return route


async def _refuse(send: Send, method: str, path: str, allowed: bytes) -> None:
    if allowed:
        detail = f"{method} {shown(path)}: Method Not Allowed"
        headers = [(b"allow", allowed)]
        await send_problem(send, 405, Code.UNIMPLEMENTED, headers=headers, detail=detail)
    else:
        detail = f"{method} {shown(path)}: Not Found"
        await send_problem(send, 404, Code.NOT_FOUND, detail=detail)


async def _tell_allowed(send: Send, allowed: bytes) -> None:
    headers = [(b"allow", allowed)]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Found(NamedTuple):
    """What answers a request, and what the path binds its variables to, in order."""

    endpoint: Endpoint
    values: tuple[str, ...]


class _Node:
    """Where the patterns of routes part, by their next segment."""

    __slots__ = ("endpoints", "literals", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.endpoints: dict[str, Endpoint] = {}


class _Routes:
    """The patterns of an application's routes."""

    def __init__(self, app: Litestar, safe: Collection[str]) -> None:
        self._root = _Node()
        self._safe = frozenset(safe)
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                self._add(route, app)

    def _add(self, route: HTTPRoute, app: Litestar) -> None:
        node = self._root
        variables = []
        for part in route.path.split("/")[1:]:
            if part.startswith("{"):
                variables.append(part[1:-1].partition(":")[0])
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(part, _Node())
        for method, (handler, _) in route.route_handler_map.items():
            if method not in _ITS_OWN:
                safe = method == "GET" and handler.name in self._safe
                node.endpoints[method] = Endpoint(app, handler, variables, safe=safe)

    def find(self, segments: Sequence[str], method: str) -> _Found | None:
        """Find the route of a request."""
        return _find(self._root, segments, method, ())

    def methods(self, segments: Sequence[str]) -> bytes:
        """List the methods that a path has, as `Allow` has them; empty when it is no route's."""
        found = set(_methods(self._root, segments))
        if not found:
            return b""
        head = {"HEAD"} if "GET" in found else set()
        return ", ".join(sorted(found | head | _ITS_OWN)).encode()


def _find(
    node: _Node, segments: Sequence[str], method: str, values: tuple[str, ...]
) -> _Found | None:
    if not segments:
        endpoint = node.endpoints.get(method)
        return None if endpoint is None else _Found(endpoint, values)
    segment, rest = segments[0], segments[1:]
    named, verbs = _with_verb(node, segments)
    if verbs is not None:
        return _find(verbs, (), method, (*values, named))
    literal = _literal(node, segment)
    if literal is not None and (found := _find(literal, rest, method, values)) is not None:
        return found
    if node.variable is None:
        return None
    return _find(node.variable, rest, method, (*values, segment))


def _methods(node: _Node, segments: Sequence[str]) -> Iterator[str]:
    if not segments:
        yield from node.endpoints
        return
    _, verbs = _with_verb(node, segments)
    if verbs is not None:
        yield from verbs.endpoints
        return
    for next_node in (_literal(node, segments[0]), node.variable):
        if next_node is not None:
            yield from _methods(next_node, segments[1:])


def _literal(node: _Node, segment: str) -> _Node | None:
    # A verb follows a variable and is no segment.
    return None if segment.startswith(":") else node.literals.get(segment)


def _with_verb(node: _Node, segments: Sequence[str]) -> tuple[str, _Node | None]:
    """The value before a verb that ends the last segment, and where the verb leads."""
    if len(segments) > 1 or node.variable is None:
        return "", None
    named, colon, verb = segments[0].rpartition(":")
    if not named:
        return "", None
    return named, node.variable.literals.get(colon + verb)
