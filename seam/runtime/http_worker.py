"""A process that serves HTTP beside others like it, as a supervisor tells it.

It inherits the socket that all of them listen on, and a link to the supervisor. It says there when
it serves, and is told when to end: alone, while the others go on (`LEAVE`), or with all of them
(`END`). A supervisor that is gone says nothing, and means the end as well.

Its figures go the same way. A worker that is asked for those of all asks its supervisor (`ASK`),
who lets each measure its own (`MEASURE`, `FIGURES`), and answers with the whole (`FIGURES`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Final

import msgspec

from seam.contract.errors import Code, StatusError
from seam.runtime.figures import Figures
from seam.runtime.http_listener import HttpListener

VARIABLE: Final = "_SEAM_WORKER"
"""Environment variable of the inherited descriptors: that of the listener, and of the link."""

LEAVE: Final = b"l"
END: Final = b"e"
MEASURE: Final = b"m"
ASK: Final = b"a"
FIGURES: Final = b"f"
"""What is said on the link. `FIGURES` is followed by their length and themselves."""

LEAVING_SECONDS: Final = 1.0
"""How long a worker that has ended waits for its supervisor to hear what it says at last."""

ANSWER_SECONDS: Final = 5.0
"""A supervisor that does not tell the figures of all by then does not know how."""


class Worker:
    """What a supervised process has of its supervisor.

    Attributes:
        listener: the socket that all workers listen on.
    """

    def __init__(self, listener: HttpListener, link: socket.socket) -> None:
        """Take over what was inherited."""
        self.listener = listener
        self._link = link
        self._writer: asyncio.StreamWriter | None = None
        self._measure: Callable[[], Awaitable[list[Figures]]] | None = None
        self._collect: Callable[[], list[Figures]] = list
        self._waiting: list[asyncio.Future[list[Figures]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    def inherit(host: str) -> Worker | None:
        """Take over what a supervisor left for this process, if one has started it.

        Args:
            host: the interface that the listener was bound to, as it was named.
        """
        given = os.environ.pop(VARIABLE, None)
        if given is None:
            return None
        listener, link = (int(each) for each in given.split(","))
        return Worker(HttpListener.inherit(listener, host), socket.socket(fileno=link))

    def tells(
        self, measure: Callable[[], Awaitable[list[Figures]]], collect: Callable[[], list[Figures]]
    ) -> None:
        """Let the supervisor learn the figures of this process.

        Args:
            measure: gives them.
            collect: gives them at once, as they are known at the end.
        """
        self._measure, self._collect = measure, collect

    def report(self, addresses: Mapping[str, str]) -> None:
        """Tell the supervisor that this process serves, and where."""
        self._say(msgspec.json.encode(addresses) + b"\n")
        # Who has told some can be asked for more.
        self._say(figures_message(self._collect()))

    async def figures_of_all(self) -> list[Figures]:
        """The figures of all workers together.

        Raises:
            StatusError: UNAVAILABLE, because the supervisor does not tell them.
        """
        told: asyncio.Future[list[Figures]] = asyncio.get_running_loop().create_future()
        self._waiting.append(told)
        self._say(ASK)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await told
        except TimeoutError:
            reason = "the supervisor does not tell the figures of all workers; start it anew"
            raise StatusError(Code.UNAVAILABLE, reason) from None
        finally:
            if told in self._waiting:
                self._waiting.remove(told)

    async def listen_to_supervisor(self, asked_to_end: asyncio.Event) -> None:
        """Do what the supervisor says; set `asked_to_end` when it says so, or is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._link)
        self._start(self._listen(reader, asked_to_end))

    async def take_leave(self) -> None:
        """Tell the supervisor what this process has counted until its end."""
        if self._writer is not None:
            self._say(figures_message(self._collect()))
            self._writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(LEAVING_SECONDS):
                    await self._writer.wait_closed()

    async def _listen(self, reader: asyncio.StreamReader, asked_to_end: asyncio.Event) -> None:
        try:
            while True:
                told = await reader.readexactly(1)
                if told == MEASURE:
                    self._start(self._answer())
                elif told == FIGURES:
                    self._told(await read_figures(reader))
                else:
                    self._end(asked_to_end, alone=told == LEAVE)
        except (OSError, EOFError):
            self._end(asked_to_end, alone=False)

    def _end(self, asked_to_end: asyncio.Event, *, alone: bool) -> None:
        if not asked_to_end.is_set():
            self.listener.outlives = alone
            asked_to_end.set()

    def _told(self, figures: list[Figures]) -> None:
        if self._waiting:
            told = self._waiting.pop(0)
            if not told.done():
                told.set_result(figures)

    async def _answer(self) -> None:
        if self._measure is not None:
            self._say(figures_message(await self._measure()))

    def _say(self, message: bytes) -> None:
        if self._writer is not None:
            self._writer.write(message)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def figures_message(figures: Sequence[Figures]) -> bytes:
    """What is said on the link to tell figures."""
    body = msgspec.msgpack.encode(figures)
    return FIGURES + len(body).to_bytes(4) + body


async def read_figures(reader: asyncio.StreamReader) -> list[Figures]:
    """Read the figures that are told on the link, after `FIGURES`.

    Raises:
        EOFError: whoever told them is gone.
    """
    length = int.from_bytes(await reader.readexactly(4))
    return msgspec.msgpack.decode(await reader.readexactly(length), type=list[Figures])
