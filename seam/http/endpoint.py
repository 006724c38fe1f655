"""Calls the handler of a route, without what Litestar does around one.

A handler takes the request or nothing, and answers with bytes or a stream, as generated ones do.
For one of these, what Litestar does besides (its own routing, dependencies, guards, hooks, caches)
is nothing but work: more of it than the bus and the database have with most requests.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final

from litestar import Litestar, Response
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive, Scope, Send

from seam.http.gateway import SAFE
from seam.http.messages import HttpRequest
from seam.http.streams import Streamed

_HOST: Final = re.compile(rb"[A-Za-z0-9\-._~%!$&'()*+,;=:@\[\]]*")
"""Source: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2, with a port."""


class Endpoint:
    """Answers the requests of one route."""

    __slots__ = ("_app", "_call", "_errors", "_handler", "_safe", "_status", "_variables")

    def __init__(
        self,
        app: Litestar,
        handler: HTTPRouteHandler,
        variables: Sequence[str],
        *,
        safe: bool = False,
    ) -> None:
        """Call a handler.

        Args:
            app: the application that it belongs to.
            handler: the handler.
            variables: the names of what the path binds, in order.
            safe: whether it has no side effects, so that caches may keep what it answers.

        Raises:
            ValueError: it takes something else than the request, or is not asynchronous.
        """
        self._app = app
        self._handler = handler
        self._variables = tuple(variables)
        self._safe = safe
        self._errors = handler.resolve_exception_handlers()
        self._status = handler.status_code
        self._call = _callable(handler)

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, values: Sequence[str]
    ) -> None:
        """Answer a request.

        Args:
            scope: what ASGI says of it; it is changed.
            receive: gives its body.
            send: takes the answer.
            values: what the path binds the variables to, as it was sent.
        """
        seen: Any = scope
        seen["litestar_app"] = self._app
        seen["route_handler"] = self._handler
        seen["path_params"] = dict(zip(self._variables, values, strict=True))
        request = HttpRequest(scope, receive, send)
        try:
            _check_host(scope)
            response = await self._call(request)
            if not isinstance(response, Response):
                await response.answer(scope, receive, send, partial(self._refusal, request))
                return
        except Exception as error:
            response = self._refusal(request, error)
        body = response.content
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in response.headers.items()
        ]
        if response.media_type is not None:
            headers.append((b"content-type", response.media_type.encode()))
        headers.append((b"content-length", b"%d" % len(body)))
        status = response.status_code or self._status
        start: Any = {"type": "http.response.start", "status": status, "headers": headers}
        start[SAFE] = self._safe
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _refusal(self, request: HttpRequest, error: Exception) -> Response[bytes]:
        for kind in type(error).__mro__:
            handle: Any = self._errors.get(kind)
            if handle is not None:
                refusal: Response[bytes] = handle(request, error)
                return refusal
        raise error


_Call = Callable[[HttpRequest], Awaitable[Response[bytes] | Streamed]]


def _callable(handler: HTTPRouteHandler) -> _Call:
    function: Any = handler.fn
    taken = set(handler.parsed_fn_signature.parameters)
    if not iscoroutinefunction(function) or not taken <= {"request"}:
        raise ValueError(f"{handler}: expected an asynchronous function of `request` or of nothing")
    if taken:
        call: _Call = function
        return call

    def call_without(_: HttpRequest) -> Awaitable[Response[bytes]]:
        answer: Awaitable[Response[bytes]] = function()
        return answer

    return call_without


def _check_host(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"host" and not _HOST.fullmatch(value):
            raise ClientException("Invalid host header")
