"""Processes that deliver events, all in the test's own: each has a connection to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from seam.events.broker import connected
from seam.events.host import Participant, delivering
from seam.events.policy import Policy

BOUND: Final = 15.0
"""Seconds within which a process has started, or has ended, whatever its broker does: many times
what either takes, on a machine that is busy with other tests."""


class Host:
    """A process that delivers events, which a test starts and ends apart from its own course."""

    def __init__(self, *participants: Participant, broker: str | None, policy: Policy) -> None:
        """Prepare a process; see `hosting`.

        Args:
            participants: its services.
            broker: URL of the broker, if there is one.
            policy: how patient it is.
        """
        self._participants = participants
        self._broker = broker
        self._policy = policy
        self._started = asyncio.Event()
        self._told_to_end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it.

        Raises:
            TimeoutError: that takes longer than `BOUND`.
        """
        self._task = asyncio.create_task(self._run())
        async with asyncio.timeout(BOUND):
            await self._started.wait()

    async def end(self) -> None:
        """End it, if it has not ended already.

        Raises:
            TimeoutError: that takes longer than `BOUND`.
        """
        if self._task is None:
            return
        self._told_to_end.set()
        done, _ = await asyncio.wait([self._task], timeout=BOUND)
        if not done:
            raise TimeoutError("a process that delivers events does not end")
        await self._task

    async def _run(self) -> None:
        if self._broker is None:
            async with delivering(self._participants, policy=self._policy):
                await self._wait()
            return
        async with (
            connected(self._broker) as broker,
            delivering(self._participants, broker, self._policy),
        ):
            await self._wait()

    async def _wait(self) -> None:
        self._started.set()
        await self._told_to_end.wait()


@asynccontextmanager
async def hosting(
    *participants: Participant, broker: str | None, policy: Policy
) -> AsyncIterator[Host]:
    """A process that has started, and ends with the block unless it has ended before.

    Args:
        participants: its services.
        broker: URL of the broker, if there is one.
        policy: how patient it is.

    Raises:
        TimeoutError: it does not start, or end, within `BOUND` seconds.
    """
    host = Host(*participants, broker=broker, policy=policy)
    try:
        await host.start()
        yield host
    finally:
        await host.end()
