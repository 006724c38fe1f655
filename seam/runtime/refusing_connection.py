"""A connection of the HTTP port that can be refused: with a problem, and closed so that it is read.

Whoever reads requests from it says which part of one is awaited, and for how long the client may
take. What is refused, or answered before all of it came, is not read to its end.

A request that is refused while others of its connection wait for their answers gets none: the
answers before it are finished, and then the connection is closed.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from seam.contract import Code
from seam.http.exchange import REQUEST_ID, new_request_id
from seam.http.problem import MEDIA_TYPE, problem_body
from seam.http.security_headers import SECURITY_HEADERS
from seam.http.streams import Streams
from seam.runtime.connection_limits import ConnectionLimits
from seam.runtime.cutoffs import Cutoffs

LINGER: Final = 1.0
"""Seconds in which a client can read why its request was refused, while it still sends."""


class Reading(Enum):
    """What of a request a connection reads."""

    NOTHING = auto()
    FIRST_BYTE = auto()
    HEAD = auto()
    BODY = auto()


class RefusingConnection(HttpToolsProtocol):
    """A connection that is refused what its client may not do."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        limits: ConnectionLimits,
        cutoffs: Cutoffs,
        streams: Streams,
    ) -> None:
        """Prepare for a client.

        Args:
            config: names the application.
            server_state: knows all connections of the server.
            limits: what the client may do.
            cutoffs: is told when the client is cut off.
            streams: the streams of the server.
        """
        state = streams.state(self._cut_off)
        super().__init__(config, server_state, state, asyncio.get_running_loop())
        self.timeout_keep_alive = limits.idle_seconds  # type: ignore[assignment]
        self._limits = limits
        self._cutoffs = cutoffs
        self._reading = Reading.NOTHING
        self._parts = self._timed_part = 0
        self._reading_timer: asyncio.TimerHandle | None = None
        self._writing_timer: asyncio.TimerHandle | None = None
        self._last: RequestResponseCycle | None = None
        self._discards = False

    def _cut_off(self, reason: str) -> None:
        """End the connection at once."""
        if not self.transport.is_closing():
            self._note(reason)
            self.transport.abort()

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

    def _read(self, part: Reading) -> None:
        """Read a part of a request, or nothing."""
        self._reading = part
        self._parts += 1

    def _allow_time(self) -> None:
        """Wait for the part that is being read, for so long from now on."""
        self._timed_part = self._parts
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None
        if self._reading is not Reading.NOTHING:
            body = self._reading is Reading.BODY
            seconds = self._limits.body_seconds if body else self._limits.head_seconds
            self._reading_timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self.flow.read_paused:
            # It is not the client that is slow: the answer before is not finished.
            self._allow_time()
        elif self._reading is Reading.FIRST_BYTE:
            self.transport.close()
        else:
            detail = f"the request's {self._reading.name.lower()} did not come in time"
            self._refuse(408, Code.DEADLINE_EXCEEDED, detail)

    def _refuse(self, status: int, code: Code, detail: str) -> None:
        """Answer the request that is being read, if it is its turn, and close the connection."""
        if self.transport.is_closing():
            return
        self._note(detail)
        self._read(Reading.NOTHING)
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
        self._read(Reading.NOTHING)
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
