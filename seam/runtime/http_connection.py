"""One connection of the HTTP port: bounds what a client may do before its request is whole.

uvicorn reads a request for as long as its client likes to send it, and answers what is no HTTP with
plain text. Here a request's head and its body have to come in time and within bounds, and whatever
is refused is a problem; how it is refused is said in `refusing_connection`.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httptools
import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from seam.contract import Code
from seam.http.limits import MAXIMUM_HEAD_BYTES
from seam.http.streams import Streams
from seam.runtime.body_budget import FREE_BYTES, BodyBudget
from seam.runtime.connection_limits import ConnectionLimits
from seam.runtime.cutoffs import Cutoffs
from seam.runtime.http_answer import WholeAnswers
from seam.runtime.refusing_connection import Reading, RefusingConnection
from seam.runtime.websocket_connection import WebSocketConnection
from seam.runtime.websocket_handshake import handshake_refusal, websocket_scope

CHUNK_OVERHEAD: Final = 8
"""Bytes that a chunked body may take for each byte of content, apart from a head's worth."""

_HEAD_TOO_LARGE: Final = f"expected a head of at most {MAXIMUM_HEAD_BYTES} bytes"


class _RefusedError(Exception):
    """A head is refused, with a status, a code and the reason."""


_HALF: Final = {Reading.HEAD, Reading.BODY}


class HttpConnection(RefusingConnection):
    """A connection that bounds what its client may do."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        limits: ConnectionLimits,
        cutoffs: Cutoffs,
        *,
        streams: Streams,
        bodies: BodyBudget,
    ) -> None:
        """Prepare for a client.

        Args:
            config: names the application.
            server_state: knows all connections of the server.
            limits: what the client may do.
            cutoffs: is told when the client is cut off.
            streams: the streams of the server.
            bodies: what bodies may take together.
        """
        super().__init__(config, server_state, limits, cutoffs, streams)
        self._bodies = bodies
        self._held = 0
        self._head_bytes = 0
        self._body_bytes = 0
        self._content_bytes = 0
        self._leaves = False

    @property
    def busy(self) -> bool:
        """Whether the client still waits for an answer, or has not taken all of it."""
        last = self._last
        answering = last is not None and not (last.response_complete or last.disconnected)
        return answering or self.transport.get_write_buffer_size() > 0

    def leave(self) -> None:
        """Close after the next answer, as the server is about to end."""
        self._leaves = True
        if self._last is not None:
            self._last.keep_alive = False

    def shutdown(self) -> None:
        """Finish the answers to whole requests, and close."""
        if self._reading in _HALF:
            self._refuse(503, Code.UNAVAILABLE, "the process ends; send the request again")
        elif not self._discards:
            super().shutdown()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(503, Code.UNAVAILABLE, "too many connections")
            self.transport.close()
        else:
            self._read(Reading.FIRST_BYTE)
            self._allow_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._reading in _HALF:
            self._note("it left in the middle of its request")
        self._read(Reading.NOTHING)
        self._allow_time()
        self._unset_keepalive_if_required()
        self._took_answer()
        self._let_go_of_bodies()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read requests, and start to answer those whose heads are whole."""
        if self._discards:
            return
        self._unset_keepalive_if_required()
        if self._reading is Reading.BODY:
            self._body_bytes += len(data)
        else:
            self._head_bytes += len(data)
        if self._reading is Reading.NOTHING:
            self._read(Reading.FIRST_BYTE)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self._become_websocket(data[upgrade.args[0] :])
            else:
                # The answer is HTTP/1.1 as before, but what comes next may be the other protocol.
                self.cycle.keep_alive = False
                self._discards = True
        except httptools.HttpParserError as error:
            refused = error.__context__
            if not isinstance(refused, _RefusedError):
                refused = _RefusedError(400, Code.INVALID_ARGUMENT, "not a valid HTTP/1.1 request")
            self._refuse(*refused.args)
        else:
            self._check_bytes()
            # Most requests come in one piece, and need no timer.
            if self._timed_part != self._parts:
                self._allow_time()

    def _check_bytes(self) -> None:
        if self._reading is Reading.HEAD and self._head_bytes > MAXIMUM_HEAD_BYTES:
            self._refuse(431, Code.INVALID_ARGUMENT, _HEAD_TOO_LARGE)
        most = MAXIMUM_HEAD_BYTES + CHUNK_OVERHEAD * self._content_bytes
        if self._reading is Reading.BODY and self._body_bytes > most:
            detail = "the chunks of the body hold too little, or its trailers too much"
            self._refuse(400, Code.INVALID_ARGUMENT, detail)

    def on_message_begin(self) -> None:
        """Begin with a head."""
        super().on_message_begin()
        if self._reading is Reading.NOTHING:
            self._read(Reading.HEAD)
        self._reading = Reading.HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a chunked body is none."""
        if self._reading is Reading.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the application answer, unless the head is refused."""
        self._check_head()
        super().on_headers_complete()
        if self._should_upgrade():
            return
        self._last = self.cycle
        self._head_bytes = self._body_bytes = self._content_bytes = 0
        self._read(Reading.BODY)
        if self._leaves:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Let the application answer a request."""
        super()._start_asgi_task(cycle, WholeAnswers(app, cycle))  # type: ignore[arg-type]

    def _should_upgrade(self) -> bool:
        """Whether the request opens a WebSocket: it has no body, and nothing is under way."""
        if not self.parser.should_upgrade() or self._get_upgrade() != b"websocket":
            return False
        whole = not any(
            (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
            for name, value in self.headers
        )
        is_alone = self._last is None or self._last.response_complete
        is_get = self.scope["method"] == "GET" and self.parser.get_http_version() == "1.1"
        return whole and is_alone and is_get

    def _become_websocket(self, rest: bytes) -> None:
        """Hand the connection over, unless its opening handshake is none."""
        detail = handshake_refusal(self.headers)
        if self._leaves:
            self._refuse(503, Code.UNAVAILABLE, "the process ends; connect again")
        elif detail is not None or rest:
            detail = detail or "expected no frames before the handshake is answered"
            self._refuse(400, Code.INVALID_ARGUMENT, detail)
        else:
            scope = websocket_scope(self.scope, self.url, self.headers)
            self._read(Reading.NOTHING)
            self._allow_time()
            self._unset_keepalive_if_required()
            self.connections.discard(self)
            websocket = WebSocketConnection(
                self.config.loaded_app,
                scope,
                self.server_state,
                self._limits.websocket,
                self._note,
            )
            self.transport.set_protocol(websocket)
            websocket.connection_made(self.transport)

    def _check_head(self) -> None:
        if len(self.pipeline) >= self._limits.pipelined:
            detail = "too many requests wait in one connection for their answers"
            raise _RefusedError(429, Code.RESOURCE_EXHAUSTED, detail)
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value) + len(": \r\n")
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                detail = "Transfer-Encoding: expected none, or chunked"
                raise _RefusedError(400, Code.INVALID_ARGUMENT, detail)
        if size > MAXIMUM_HEAD_BYTES:
            raise _RefusedError(431, Code.INVALID_ARGUMENT, _HEAD_TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        """Hand content to the application."""
        before = max(self._content_bytes, FREE_BYTES)
        self._content_bytes += len(body)
        counted = max(self._content_bytes - before, 0)
        if not self._bodies.take(counted):
            detail = "too many large requests are under way; send the request again later"
            raise _RefusedError(503, Code.UNAVAILABLE, detail)
        self._held += counted
        super().on_body(body)

    def _let_go_of_bodies(self) -> None:
        self._bodies.give_back(self._held)
        self._held = 0

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self._read(Reading.NOTHING)

    def on_response_complete(self) -> None:
        """Go on with the next request, unless this is the last that is read."""
        is_last = not self.pipeline
        if is_last:
            self._let_go_of_bodies()
        super().on_response_complete()
        unread = self._discards or self.cycle.more_body
        if is_last and unread and not self.transport.is_closing():
            self._linger()
