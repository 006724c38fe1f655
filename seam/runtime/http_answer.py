"""Writes the answer of an application, whole, in one piece.

uvicorn looks at each header with two patterns and writes head and body apart. An answer of ours has
a dozen headers, most of them constants, so that this is a tenth of the work that a small request
takes. Here the head is put together first and looked at once, and goes out with the body. What is
not a whole answer of known length is left to uvicorn.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_BODILESS: Final = frozenset({204, 304})


class WholeAnswers:
    """An application whose whole answers are written at once."""

    __slots__ = ("_app", "_cycle", "_send", "_start")

    def __init__(self, app: ASGIApp, cycle: RequestResponseCycle) -> None:
        """Answer one request.

        Args:
            app: the application.
            cycle: what uvicorn knows of the request and its connection.
        """
        self._app = app
        self._cycle = cycle
        self._start: HTTPResponseStartEvent | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        self._send = send
        await self._app(scope, receive, self._take)

    async def _take(self, message: Message) -> None:
        if self._cycle.transport.is_closing():
            # The client has left, and uvicorn hears of it a moment later. Nobody is written to.
            self._cycle.disconnected = True
        if message["type"] == "http.response.start" and _has_length(message):
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            body: Any = message.get("body", b"")
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            if whole and self._write(start, body):
                return
            await self._send(start)
        await self._send(message)

    def _write(self, start: HTTPResponseStartEvent, body: bytes) -> bool:
        """Write a whole answer, unless that is uvicorn's business."""
        cycle = self._cycle
        if cycle.disconnected or cycle.flow.write_paused or cycle.response_started:
            return False
        status = start["status"]
        headers = [*cycle.default_headers, *start["headers"]]
        length = b"%d" % len(body)
        is_head = cycle.scope["method"] == "HEAD"
        known = status in _BODILESS or is_head or (b"content-length", length) in headers
        closes = (b"connection", b"close") in headers
        if not known or (body and status in _BODILESS):
            return False
        if not cycle.keep_alive and not closes:
            headers.append((b"connection", b"close"))
        lines = [b"%b: %b\r\n" % header for header in headers]
        head = b"".join(lines)
        # A line more, or an end within one, would be a header that somebody else has written.
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines) or b"\0" in head:
            raise RuntimeError("a header with a line's end in it")
        if closes:
            cycle.keep_alive = False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, b"" if is_head else body))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True


def _has_length(start: HTTPResponseStartEvent) -> bool:
    """Whether an answer is no stream, of which a client sees the head before there is a body."""
    if start["status"] in _BODILESS:
        return True
    return any(name == b"content-length" for name, _ in start["headers"])
