"""One connection of the HTTP port: bounds what a client may do before its request is whole.

uvicorn reads a request for as long as its client likes to send it, and answers what is no HTTP with
plain text. Here a request's head and its body have to come in time and within bounds, and whatever
is refused is a problem. What is refused, or answered before all of it came, is not read to its end.

A request that is refused while others of its connection wait for their answers gets none: the
answers before it are finished, and then the connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import Enum, auto
from time import monotonic
from typing import Final
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from seam.contract import Code
from seam.http.exchange import REQUEST_ID, new_request_id
from seam.http.limits import MAXIMUM_HEAD_BYTES
from seam.http.problem import MEDIA_TYPE, problem_body
from seam.http.security_headers import SECURITY_HEADERS
from seam.http.streams import Streams
from seam.runtime.body_budget import FREE_BYTES, BodyBudget
from seam.runtime.http_answer import WholeAnswers
from seam.runtime.websocket_connection import (
    DEFAULT_WEBSOCKET_LIMITS,
    WebSocketConnection,
    WebSocketLimits,
    handshake_refusal,
)

log = logging.getLogger(__name__)

LINGER: Final = 1.0
"""Seconds in which a client can read why its request was refused, while it still sends."""

LOG_INTERVAL: Final = 10.0
"""Seconds between two lines for one reason to cut off clients."""

CHUNK_OVERHEAD: Final = 8
"""Bytes that a chunked body may take for each byte of content, apart from a head's worth."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may do with their connections.

    Attributes:
        head_seconds: for the head of a request, from the connection or its first byte on.
        body_seconds: for the body.
        idle_seconds: between two requests; longer than gateways wait, so that they close first.
        unread_seconds: for a client that does not take its answer.
        connections: at a time.
        pipelined: requests that wait in one connection for the answers to those before them.
        bodies_bytes: of the bodies of all requests that were not answered yet, see `BodyBudget`.
        websocket: what they may do once a connection has become a WebSocket.
    """

    head_seconds: float = 10.0
    body_seconds: float = 60.0
    idle_seconds: float = 75.0
    unread_seconds: float = 60.0
    connections: int = 4_000
    pipelined: int = 100
    bodies_bytes: int = 256 * 2**20
    websocket: WebSocketLimits = DEFAULT_WEBSOCKET_LIMITS


DEFAULT_CONNECTION_LIMITS: Final = ConnectionLimits()

_HEAD_TOO_LARGE: Final = f"expected a head of at most {MAXIMUM_HEAD_BYTES} bytes"


class _Reading(Enum):
    """What of a request a connection reads."""

    NOTHING = auto()
    FIRST_BYTE = auto()
    HEAD = auto()
    BODY = auto()


class Cutoffs:
    """Says in the log why clients were cut off: for each reason one line in `LOG_INTERVAL`."""

    def __init__(self) -> None:
        """Begin with nobody cut off."""
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def note(self, client: str, reason: str) -> None:
        """Note that a client was cut off.

        Args:
            client: its address.
            reason: why; one of few texts.
        """
        now = monotonic()
        if now - self._said.get(reason, -LOG_INTERVAL) < LOG_INTERVAL:
            self._unsaid[reason] = self._unsaid.get(reason, 0) + 1
            return
        unsaid = self._unsaid.pop(reason, 0)
        more = f", and {unsaid} others since the line before" if unsaid else ""
        log.info("%s%s: %s", client, more, reason)
        self._said[reason] = now


class _RefusedError(Exception):
    """A head is refused, with a status, a code and the reason."""


_HALF: Final = {_Reading.HEAD, _Reading.BODY}


class HttpConnection(HttpToolsProtocol):
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
        state = streams.state(self._cut_off)
        super().__init__(config, server_state, state, asyncio.get_running_loop())
        self.timeout_keep_alive = limits.idle_seconds  # type: ignore[assignment]
        self._limits = limits
        self._cutoffs = cutoffs
        self._bodies = bodies
        self._held = 0
        self._reading = _Reading.NOTHING
        self._parts = self._timed_part = 0
        self._reading_timer: asyncio.TimerHandle | None = None
        self._writing_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._body_bytes = 0
        self._content_bytes = 0
        self._last: RequestResponseCycle | None = None
        self._discards = False
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
            self._read(_Reading.FIRST_BYTE)
            self._allow_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._reading in _HALF:
            self._note("it left in the middle of its request")
        self._read(_Reading.NOTHING)
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
        if self._reading is _Reading.BODY:
            self._body_bytes += len(data)
        else:
            self._head_bytes += len(data)
        if self._reading is _Reading.NOTHING:
            self._read(_Reading.FIRST_BYTE)
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
        if self._reading is _Reading.HEAD and self._head_bytes > MAXIMUM_HEAD_BYTES:
            self._refuse(431, Code.INVALID_ARGUMENT, _HEAD_TOO_LARGE)
        most = MAXIMUM_HEAD_BYTES + CHUNK_OVERHEAD * self._content_bytes
        if self._reading is _Reading.BODY and self._body_bytes > most:
            detail = "the chunks of the body hold too little, or its trailers too much"
            self._refuse(400, Code.INVALID_ARGUMENT, detail)

    def on_message_begin(self) -> None:
        """Begin with a head."""
        super().on_message_begin()
        if self._reading is _Reading.NOTHING:
            self._read(_Reading.HEAD)
        self._reading = _Reading.HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a chunked body is none."""
        if self._reading is _Reading.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the application answer, unless the head is refused."""
        self._check_head()
        super().on_headers_complete()
        if self._should_upgrade():
            return
        self._last = self.cycle
        self._head_bytes = self._body_bytes = self._content_bytes = 0
        self._read(_Reading.BODY)
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
            url = httptools.parse_url(self.url)
            path = url.path.decode("ascii")
            protocols = b",".join(v for n, v in self.headers if n == b"sec-websocket-protocol")
            scope = {
                **self.scope,
                "type": "websocket",
                "scheme": "wss" if self.scheme == "https" else "ws",
                "path": unquote(path),
                "raw_path": url.path,
                "query_string": url.query or b"",
                "subprotocols": [
                    each.strip() for each in protocols.decode("latin-1").split(",") if each.strip()
                ],
            }
            self._read(_Reading.NOTHING)
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

    def _cut_off(self, reason: str) -> None:
        """End the connection at once."""
        if not self.transport.is_closing():
            self._note(reason)
            self.transport.abort()

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
        self._read(_Reading.NOTHING)

    def on_response_complete(self) -> None:
        """Go on with the next request, unless this is the last that is read."""
        is_last = not self.pipeline
        if is_last:
            self._let_go_of_bodies()
        super().on_response_complete()
        unread = self._discards or self.cycle.more_body
        if is_last and unread and not self.transport.is_closing():
            self._linger()

    def pause_writing(self) -> None:
        """Wait for the client to take its answer, but not for ever."""
        super().pause_writing()
        seconds = self._limits.unread_seconds
        self._writing_timer = self.loop.call_later(seconds, self._left_unread)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        self._took_answer()

    def _took_answer(self) -> None:
        if self._writing_timer is not None:
            self._writing_timer.cancel()
            self._writing_timer = None

    def _left_unread(self) -> None:
        self._cut_off("it does not read its answer")

    def _read(self, part: _Reading) -> None:
        """Read a part of a request, or nothing."""
        self._reading = part
        self._parts += 1

    def _allow_time(self) -> None:
        """Wait for the part that is being read, for so long from now on."""
        self._timed_part = self._parts
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None
        if self._reading is not _Reading.NOTHING:
            body = self._reading is _Reading.BODY
            seconds = self._limits.body_seconds if body else self._limits.head_seconds
            self._reading_timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self.flow.read_paused:
            # It is not the client that is slow: the answer before is not finished.
            self._allow_time()
        elif self._reading is _Reading.FIRST_BYTE:
            self.transport.close()
        else:
            detail = f"the request's {self._reading.name.lower()} did not come in time"
            self._refuse(408, Code.DEADLINE_EXCEEDED, detail)

    def _refuse(self, status: int, code: Code, detail: str) -> None:
        """Answer the request that is being read, if it is its turn, and close the connection."""
        if self.transport.is_closing():
            return
        self._note(detail)
        self._read(_Reading.NOTHING)
        self._allow_time()
        self._discards = True
        last = self._last
        if last is None or last.response_complete:
            self._answer(status, code, detail)
        elif last.more_body and self.pipeline:
            # The rest of it will not come, and it is not its turn yet.
            self.pipeline.popleft()
            last.disconnected = True
        elif last.more_body and not last.response_started:
            # The application waits for the rest of the body, and learns that it will not come.
            last.disconnected = True
            last.message_event.set()
            self._answer(status, code, detail)

    def _answer(self, status: int, code: Code, detail: str) -> None:
        body = problem_body(status, code, detail=detail)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *SECURITY_HEADERS,
            (REQUEST_ID, new_request_id().encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self._linger()

    def _linger(self) -> None:
        """Close, but not while the client sends: what came unread would cut off the answer."""
        self._read(_Reading.NOTHING)
        self._allow_time()
        self._unset_keepalive_if_required()
        self._discards = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            # TLS cannot.
            self.transport.write_eof()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER, self.timeout_keep_alive_handler)

    def _note(self, reason: str) -> None:
        self._cutoffs.note("{}:{}".format(*self.client) if self.client else "a client", reason)
