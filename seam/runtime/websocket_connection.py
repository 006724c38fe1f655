"""One connection that has become a WebSocket: bounds what its client may do with it.

Frames are read and written by `websockets`, which does no input and output of its own. What is
here is when: a client that floods, that leaves unread what it is sent, or that does not answer
pings is cut off, and one that sends faster than it is answered is not read meanwhile. No extension
is spoken: what is compressed has no bound before it is read.

uvicorn's own implementations wait for slow readers without end, answer pings without a bound, and
take the wait for a slow handler for a client that is gone.

Sources: RFC 6455, https://www.rfc-editor.org/rfc/rfc6455. The messages of ASGI,
https://asgi.readthedocs.io/en/latest/specs/www.html#websocket.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key

from seam.http.streams import UNREAD_SECONDS

log = logging.getLogger(__name__)

# It tells of every connection that ends; what is worth a line is said here.
_FRAMES: Final = logging.getLogger(f"{__name__}.frames")
_FRAMES.setLevel(logging.ERROR)

QUEUED: Final = 4
"""Messages that wait for the application before the connection is read on."""

UNREAD_PONGS: Final = 16
"""Pings that are answered while the client does not read."""

LINGER: Final = 1.0
"""Seconds in which a client can read how the connection was closed, while it still sends."""

_SLICE: Final = 4_096
"""Bytes that are read before frames are counted again."""

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What clients may do with a WebSocket.

    Attributes:
        message_bytes: of one message, whatever frames it comes in.
        frames: that may come at once; so many come again in `frames_seconds`.
        frames_seconds: see `frames`.
        ping_seconds: between two pings, and for the answer to one.
        unread_seconds: for a client that does not take what it is sent.
        closing_seconds: for a client to answer that the connection is closed.
    """

    message_bytes: int = 64 * 2**10
    frames: int = 200
    frames_seconds: float = 4.0
    ping_seconds: float = 20.0
    unread_seconds: float = UNREAD_SECONDS
    closing_seconds: float = 5.0


DEFAULT_WEBSOCKET_LIMITS: Final = WebSocketLimits()


class ClientDisconnectedError(OSError):
    """Nothing can be sent any more."""


def handshake_refusal(headers: Headers) -> str | None:
    """Why an opening handshake is none, or None when it is one."""
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    if versions != [b"13"]:
        return "Sec-WebSocket-Version: expected 13"
    try:
        (key,) = (value for name, value in headers if name == b"sec-websocket-key")
        whole = len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        whole = False
    return None if whole else "Sec-WebSocket-Key: expected 16 bytes in Base64"


class WebSocketConnection(asyncio.Protocol):
    """A connection whose opening handshake is being answered, or was."""

    def __init__(
        self,
        app: ASGIApp,
        scope: dict[str, Any],
        state: ServerState,
        limits: WebSocketLimits,
        note: Callable[[str], None],
    ) -> None:
        """Take over a connection.

        Args:
            app: the application.
            scope: what ASGI says of the handshake.
            state: knows all connections of the server.
            limits: what the client may do.
            note: is told why the client is cut off.
        """
        self.transport: asyncio.Transport
        self._app = app
        self._scope = scope
        self._server = state
        self._limits = limits
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._frames = Protocol(Side.SERVER, max_size=limits.message_bytes, logger=_FRAMES)
        self._message: list[bytes] = []
        self._is_text = False
        self._events: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self._arrived = asyncio.Event()
        self._arrived.set()
        self._writable = asyncio.Event()
        self._writable.set()
        self._accepted = self._ended = self._paused = False
        self._status = 0
        self._headers: Headers = ()
        self._allowance = float(limits.frames)
        self._counted = monotonic()
        self._pongs = 0
        self._awaits_pong = False
        self._ping_timer: asyncio.TimerHandle | None = None
        self._writing_timer: asyncio.TimerHandle | None = None
        self._closing_timer: asyncio.TimerHandle | None = None

    def cut_off(self, reason: str) -> None:
        """End the connection at once."""
        if not self.transport.is_closing():
            self._note(reason)
            self.transport.abort()

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the application answer the handshake."""
        self.transport = transport
        self._server.connections.add(self)  # type: ignore[arg-type]
        task = self._loop.create_task(self._run())
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the client."""
        self._server.connections.discard(self)
        self._stop_timers()
        self._end(1006)
        self._writable.set()

    def eof_received(self) -> bool:
        """End with a client that says nothing more."""
        if not self._ended:
            self._end(1006)
        return False

    def data_received(self, data: bytes) -> None:
        """Read frames."""
        for at in range(0, len(data), _SLICE):
            if self._ended:
                return
            if not self._accepted:
                self.cut_off("it sent frames before its handshake was answered")
                return
            self._frames.receive_data(data[at : at + _SLICE])
            for event in self._frames.events_received():
                if isinstance(event, Frame):
                    self._read(event)
            if self._frames.parser_exc is not None and not self._ended:
                self._note("its frames are none, or too large")
                self._end(1006)
            self._flush()

    def pause_writing(self) -> None:
        """Wait for the client to take what it was sent, but not for ever."""
        self._writable.clear()
        self._writing_timer = self._loop.call_later(
            self._limits.unread_seconds, self.cut_off, "it does not read its stream"
        )

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()
        self._pongs = 0
        if self._writing_timer is not None:
            self._writing_timer.cancel()
            self._writing_timer = None

    # Frames.

    def _read(self, frame: Frame) -> None:
        if self._ended:
            return
        if not self._is_allowed():
            self._fail(1008, "too many frames")
        elif frame.opcode is Opcode.PONG:
            self._awaits_pong = False
        elif frame.opcode is Opcode.PING:
            self._pongs += not self._writable.is_set()
            if self._pongs > UNREAD_PONGS:
                self.cut_off("it does not read its stream")
        elif frame.opcode is Opcode.CLOSE:
            received = self._frames.close_rcvd
            self._end(1005 if received is None else int(received.code))
        else:
            if frame.opcode is not Opcode.CONT:
                self._is_text = frame.opcode is Opcode.TEXT
            self._message.append(bytes(frame.data))
            if frame.fin:
                self._take()

    def _take(self) -> None:
        """Hand a whole message to the application."""
        data = b"".join(self._message)
        self._message.clear()
        if not self._is_text:
            self._put({"type": "websocket.receive", "bytes": data})
            return
        try:
            self._put({"type": "websocket.receive", "text": data.decode()})
        except UnicodeDecodeError:
            self._fail(1007, "expected UTF-8 text")

    def _put(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._arrived.set()
        if len(self._events) >= QUEUED and not self._paused and not self._ended:
            self._paused = True
            self.transport.pause_reading()

    def _is_allowed(self) -> bool:
        now = monotonic()
        most = self._limits.frames
        gained = (now - self._counted) * most / self._limits.frames_seconds
        self._allowance = min(float(most), self._allowance + gained) - 1
        self._counted = now
        return self._allowance >= 0

    def _fail(self, code: int, reason: str) -> None:
        """Close because of what the client did."""
        self._note(reason)
        self._frames.fail(code, reason)
        self._end(1006)

    def _end(self, code: int) -> None:
        """Tell the application, once, that nothing more will come."""
        if not self._ended:
            self._ended = True
            self._put({"type": "websocket.disconnect", "code": code})

    def _flush(self) -> None:
        if self.transport.is_closing():
            return
        for data in self._frames.data_to_send():
            if data:
                self.transport.write(data)
            else:
                self._leave()

    def _leave(self) -> None:
        """Say nothing more."""
        self._linger(LINGER)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _linger(self, seconds: float) -> None:
        """Close, but not while the client sends: what came unread would cut off the last frame."""
        self._stop_timers()
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._closing_timer = self._loop.call_later(seconds, self.transport.abort)

    def _stop_timers(self) -> None:
        for timer in (self._ping_timer, self._writing_timer, self._closing_timer):
            if timer is not None:
                timer.cancel()
        self._ping_timer = self._writing_timer = self._closing_timer = None

    def _ping(self) -> None:
        """Ask whether the client is still there, unless it is us who do not read."""
        if self._awaits_pong and not self._paused:
            self.cut_off("it does not answer pings")
            return
        if not self._paused and self._frames.state is State.OPEN:
            self._awaits_pong = True
            self._frames.send_ping(b"")
            self._flush()
        self._ping_timer = self._loop.call_later(self._limits.ping_seconds, self._ping)

    # What the application calls.

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)  # type: ignore[arg-type]
        except ClientDisconnectedError:
            pass
        except Exception:
            log.exception("a WebSocket has failed")
        finally:
            if self._frames.state is State.OPEN and self._accepted:
                self._close(1011, "")
            elif not self._accepted and not self._status:
                self.transport.abort()

    async def _receive(self) -> dict[str, Any]:
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if self._paused and len(self._events) < QUEUED // 2:
            self._paused = False
            # While nothing was read, no answer to a ping was either.
            self._awaits_pong = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return event

    async def _send(self, message: Any) -> None:  # noqa: ANN401 (one of many messages)
        kind = message["type"]
        if kind == "websocket.send":
            await self._writable.wait()
            if self._ended or self._frames.state is not State.OPEN:
                raise ClientDisconnectedError("the client has left")
            self._frames.send_text(message["text"].encode())
            self._flush()
        elif kind == "websocket.accept":
            self._accept(message.get("subprotocol"))
        elif kind == "websocket.close":
            self._close(message["code"], message.get("reason") or "")
        elif kind == "websocket.http.response.start":
            self._status, self._headers = message["status"], message["headers"]
        elif kind == "websocket.http.response.body":
            await self._writable.wait()
            self._refuse(message["body"])

    def _accept(self, subprotocol: str | None) -> None:
        if self.transport.is_closing():
            raise ClientDisconnectedError("the client has left")
        (key,) = (value for name, value in self._scope["headers"] if name == b"sec-websocket-key")
        headers = [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", accept_key(key.decode()).encode()),
        ]
        if subprotocol is not None:
            headers.append((b"sec-websocket-protocol", subprotocol.encode("latin-1")))
        self._accepted = True
        self._write_head(101, headers)
        self._ping_timer = self._loop.call_later(self._limits.ping_seconds, self._ping)

    def _refuse(self, body: bytes) -> None:
        """Answer the handshake as a request."""
        self._ended = True
        self._write_head(self._status, [*self._headers, (b"connection", b"close")])
        self.transport.write(body)
        self._leave()

    def _write_head(self, status: int, headers: Headers) -> None:
        lines = [b"%b: %b\r\n" % each for each in (*self._server.default_headers, *headers)]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n"]))

    def _close(self, code: int, reason: str) -> None:
        if self._frames.state is State.OPEN and not self.transport.is_closing():
            self._frames.send_close(code, reason)
            self._flush()
            self._linger(self._limits.closing_seconds)
