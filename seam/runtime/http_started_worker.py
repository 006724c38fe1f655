"""A worker, as the supervisor that has started it sees it; the other end is `http_worker`."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process as Subprocess
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final

import msgspec

from seam.runtime.figures import Figures
from seam.runtime.http_worker import ASK, FIGURES, MEASURE, figures_message, read_figures

START_SECONDS: Final = 120.0
"""A worker that does not serve by then never will."""

MEASURE_SECONDS: Final = 2.0
"""The figures of a worker that does not tell them by then are those that it told last."""

HEARING_OUT_SECONDS: Final = 1.0
"""How long the last words of a worker that has ended may take."""

Addresses = Mapping[str, str]


class StartedWorker:
    """A process, and the link to it.

    Attributes:
        process: the process.
        begun: when it was started, on the clock of `time.monotonic`.
        has_failed: whether it has ended, or was given up, before it served.
        figures: those that it told last.
    """

    def __init__(
        self,
        process: Subprocess,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        figures_of_all: Callable[[], Awaitable[list[Figures]]],
    ) -> None:
        """Hear what a worker says.

        Args:
            process: the process.
            reader: what it says.
            writer: what is said to it.
            figures_of_all: gives what it is told when it asks for the figures of all workers.
        """
        self.process = process
        self.begun = monotonic()
        self.has_failed = False
        self.figures: list[Figures] = []
        self._reader = reader
        self._writer = writer
        self._figures_of_all = figures_of_all
        loop = asyncio.get_running_loop()
        self._serving: asyncio.Future[Addresses | None] = loop.create_future()
        self._measuring: asyncio.Future[None] | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._hearing = loop.create_task(self._hear())

    async def serves(self) -> Addresses | None:
        """Where it serves, once it does; None when it ends before."""
        await asyncio.wait([self._serving], timeout=START_SECONDS)
        addresses = self._serving.result() if self._serving.done() else None
        self.has_failed = addresses is None
        return addresses

    async def measured(self) -> None:
        """Wait until it has told its figures anew, if it can."""
        if not self.figures:
            return
        if self._measuring is None:
            self._measuring = asyncio.get_running_loop().create_future()
            self.tell(MEASURE)
        await asyncio.wait([self._measuring], timeout=MEASURE_SECONDS)

    async def heard_out(self) -> None:
        """Wait until all is heard that it said before it ended."""
        await asyncio.wait([self._hearing], timeout=HEARING_OUT_SECONDS)

    def tell(self, word: bytes) -> None:
        """Tell it to leave or to end, or to measure its figures."""
        self._writer.write(word)

    def terminate(self) -> None:
        """Let it leave what is under way."""
        with suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self.process.kill()

    async def _hear(self) -> None:
        try:
            line = await self._reader.readline()
            if line:
                self._serving.set_result(msgspec.json.decode(line, type=dict[str, str]))
            while word := await self._reader.read(1):
                if word == FIGURES:
                    self.figures = await read_figures(self._reader)
                    self._is_measured()
                elif word == ASK:
                    answer = asyncio.ensure_future(self._answer())
                    self._answers.add(answer)
                    answer.add_done_callback(self._answers.discard)
        except (OSError, EOFError):
            pass
        finally:
            if not self._serving.done():
                self._serving.set_result(None)
            self._is_measured()

    def _is_measured(self) -> None:
        if self._measuring is not None:
            self._measuring.set_result(None)
            self._measuring = None

    async def _answer(self) -> None:
        self.tell(figures_message(await self._figures_of_all()))
