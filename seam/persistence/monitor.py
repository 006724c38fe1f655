"""Watches over one database: whether it answers, and that everybody learns it when it does not.

A question that anything which works can answer is asked at intervals, on a link of its own. While
there is no answer, nobody waits: what is under way is ended, and what comes is refused at once. A
single failure of a call proves little, so it only makes the question be asked now.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from time import monotonic
from typing import Final, Protocol

from seam.contract import Code
from seam.outages import Outage
from seam.persistence.failures import Failure, failure_of

RETURN_INTERVAL: Final = 0.25
"""Seconds between two questions to a database that is away."""

TOLERANCE: Final = 0.1
"""Seconds that the event loop may be late; what happens later says nothing of the database."""


_LATE: Final = Failure(Code.UNAVAILABLE, "it does not answer", "does not answer")

_BUSY: Final = Failure(Code.UNAVAILABLE, "this process is busy", "is too busy")
"""No answer, which is this process's own doing."""


class Asked(Protocol):
    """What a monitor asks.

    Attributes:
        interval: seconds between two questions.
        patience: seconds for an answer. While calls are bounded by a deadline, an interval and
            twice this are less than most of them have.
    """

    interval: float
    patience: float

    async def ask(self) -> None:
        """Get an answer from the database, or raise why there is none."""
        ...

    def cut(self) -> None:
        """End what is under way, and make no connection until `restore`."""
        ...

    def restore(self) -> None:
        """Make connections again."""
        ...


class Monitor:
    """Whether a database answers.

    Attributes:
        failure: why it does not, as of the last question; None when it does.
    """

    def __init__(self, name: str, backend: Asked) -> None:
        """Watch `backend`; the log calls it `name`."""
        self.failure: Failure | None = None
        self._backend = backend
        self._outage = Outage(name)
        self._asking: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._begun = 0
        self._answered = 0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask at intervals until the block ends."""
        # What runs for everybody has nothing to do with the call that it may begin in.
        task = asyncio.create_task(self._watch(), context=Context())
        try:
            yield
        finally:
            tasks = [each for each in (task, self._asking) if each is not None]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def check(self) -> Failure | None:
        """Ask now, and give the answer; all who ask at the same time wait for one.

        A question that is under way may be answered by how things were before.
        """
        wanted = self._begun + 1
        while self._answered < wanted:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(), context=Context())
            await asyncio.shield(self._asking)
        return self.failure

    async def _watch(self) -> None:
        while True:
            await self.check()
            # A call may find out earlier that it is gone.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._backend.interval):
                    await self._gone.wait()
                    await asyncio.sleep(RETURN_INTERVAL)

    async def _ask(self) -> None:
        self._begun += 1
        question = self._begun
        self._learn(await self._question())
        self._answered = question

    async def _question(self) -> Failure | None:
        failure = await self._answer()
        if failure is _LATE and self.failure is None:
            # A server that is busy answers late as well.
            failure = await self._answer()
        return self.failure if failure is _BUSY else failure

    def _learn(self, failure: Failure | None) -> None:
        if failure is None and self.failure is not None:
            self._gone.clear()
            self._backend.restore()
            self._outage.answered()
        elif failure is not None:
            if self.failure is None:
                self._gone.set()
                self._backend.cut()
            self._outage.failed(failure.detail)
        self.failure = failure

    async def _answer(self) -> Failure | None:
        begun = monotonic()
        try:
            async with asyncio.timeout(self._backend.patience):
                await self._backend.ask()
        except TimeoutError:
            late = monotonic() - begun - self._backend.patience
            return _LATE if late < TOLERANCE else _BUSY
        except Exception as error:
            return failure_of(error) or Failure(_LATE.code, f"{type(error).__name__}: {error}")
        return None
