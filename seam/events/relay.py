"""Takes the events of one service from its outbox to where they are wanted.

Each partition is read from its beginning, in the order of positions, and what is delivered is
deleted. Nothing is skipped: an event that was committed late has a lower position than others that
are delivered already, and is found all the same. A relay that ends anywhere begins again with what
is still there, so events may be delivered twice, and an event never before an earlier one of its
key, which was there before it.

Deliveries that fail are tried again for as long as it takes, since what fails is a database or a
broker; an event that a handler cannot deal with is parked by the subscriber and does not fail here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from seam.contract import StatusError
from seam.events.broker import BrokerAwayError
from seam.events.ending import end_all
from seam.events.event import PARTITIONS, Event
from seam.events.policy import Policy
from seam.events.signals import listening
from seam.events.subscriber import DatabaseAwayError
from seam.outages import Outage
from seam.persistence import Command, Database, Query

Deliver = Callable[[int, Sequence[Event]], Awaitable[None]]
"""Delivers events of a partition, all of them, or raises."""

LARGE_BATCH_BYTES = 2 * 1024 * 1024
"""What a batch may take before the next one is smaller."""


class Stage:
    """One step on the way of a service's events: reads some of the outbox, and delivers it."""

    def __init__(
        self,
        database: Database,
        read: Query[Event],
        done: Command,
        deliver: Deliver,
        outage: Outage,
    ) -> None:
        """Describe a step.

        Args:
            database: the publisher's database.
            read: reads what is to be delivered.
            done: says of what was delivered that it was.
            deliver: delivers it.
            outage: hears whether that works.
        """
        self.database = database
        self.read = read
        self.done = done
        self.deliver = deliver
        self.outage = outage


class Relay:
    """Delivers the events of one service.

    Attributes:
        service: its name.
        stages: the steps on the way of its events.
        delivered: how many were delivered by this process.
    """

    def __init__(
        self,
        service: str,
        stages: Sequence[Stage],
        policy: Policy,
        prepare: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        """Take a service's events through `stages`, all at once.

        Args:
            service: the service's name.
            stages: the steps on the way of its events.
            policy: how patient to be.
            prepare: what comes before the events of a partition are delivered.
        """
        self.service = service
        self.delivered = 0
        self.stages = stages
        self._prepare = prepare
        self._policy = policy
        self._signals: dict[int, list[asyncio.Event]] = {n: [] for n in range(PARTITIONS)}

    def wake(self, partition: int) -> None:
        """Say that there is something in a partition."""
        for signal in self._signals[partition]:
            signal.set()

    async def run(self, partition: int) -> None:
        """Deliver the events of a partition until cancelled."""
        if self._prepare is not None:
            await self._prepare(partition)
        with listening(self.service, self.wake):
            tasks = [
                asyncio.create_task(self._run_stage(stage, partition)) for stage in self.stages
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                await end_all(tasks)

    async def _run_stage(self, stage: Stage, partition: int) -> None:
        signal = asyncio.Event()
        self._signals[partition].append(signal)
        limit, failures = self._policy.batch, 0
        try:
            while True:
                # Cleared before the outbox is read, so that nothing is missed in between.
                signal.clear()
                try:
                    events = await self._step(stage, partition, limit)
                except (DatabaseAwayError, BrokerAwayError, StatusError):
                    # Each of these is in the log as what it is.
                    failures += 1
                    await asyncio.sleep(self._policy.pause(failures))
                    continue
                except Exception as error:
                    failures += 1
                    stage.outage.failed(f"{type(error).__name__}: {error}")
                    await asyncio.sleep(self._policy.pause(failures))
                    continue
                failures = 0
                if stage.outage.away:
                    stage.outage.answered()
                limit = self._limit(limit, events)
                if events:
                    self.delivered += len(events)
                    self.wake(partition)
                else:
                    await self._wait(signal)
        finally:
            self._signals[partition].remove(signal)

    async def _step(self, stage: Stage, partition: int, limit: int) -> Sequence[Event]:
        events = await stage.database.fetch_all(stage.read, partition=partition, limit=limit)
        if events:
            await stage.deliver(partition, events)
            positions = [event.position for event in events]
            await stage.database.execute(stage.done, positions=positions)
        return events

    async def _wait(self, signal: asyncio.Event) -> None:
        """Wait for a signal, or long enough for something of another process to be there."""
        try:
            async with asyncio.timeout(self._policy.poll):
                await signal.wait()
        except TimeoutError:
            pass

    def _limit(self, limit: int, events: Sequence[Event]) -> int:
        """How many events to read next, so that they take no more memory than they should."""
        if sum(len(event.data) for event in events) > LARGE_BATCH_BYTES:
            return max(1, limit // 2)
        return min(self._policy.batch, limit * 2)
