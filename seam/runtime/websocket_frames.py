"""The frames of one connection that has become a WebSocket: bounds what its client may do with it.

Frames are read and written by `websockets`, which does no input and output of its own. What is
here is when: a client that floods, that leaves unread what it is sent, or that does not answer
pings is cut off, and one that sends faster than it is answered is not read meanwhile. No extension
is spoken: what is compressed has no bound before it is read.

uvicorn's own implementations wait for slow readers without end, answer pings without a bound, and
take the wait for a slow handler for a client that is gone.

Source: RFC 6455, https://www.rfc-editor.org/rfc/rfc6455.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from seam.runtime.connection_limits import WebSocketLimits

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


class FramedConnection(asyncio.Protocol):
    """A connection on which frames may come, once its opening handshake is answered."""

    def __init__(
        self, state: ServerState, limits: WebSocketLimits, note: Callable[[str], None]
    ) -> None:
        """Take over a connection.

        Args:
            state: knows all connections of the server.
            limits: what the client may do.
            note: is told why the client is cut off.
        """
        self.transport: asyncio.Transport
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
