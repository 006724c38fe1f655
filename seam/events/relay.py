"""Takes the events of one service from its outbox to where they are wanted.

The outbox is read from its beginning, in the order of positions, and what is delivered is deleted.
Nothing is skipped: an event that was committed late has a lower position than others that are
delivered already, and is found all the same. A relay that ends anywhere begins again with what is
still there, so events may be delivered twice, and an event never before an earlier one of its key,
which was there before it.

Replicas share the partitions, and each relay reads those that it has: as a rule all of them at
once, so that a batch is what was published together.

Deliveries that fail are tried again for as long as it takes, since what fails is a database or a
broker; an event that a handler cannot deal with is parked by the subscriber and does not fail here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from seam.contract import StatusError
from seam.events.ending import end_all
from seam.events.event import PARTITIONS, Event
from seam.events.failures import BrokerAwayError, DatabaseAwayError
from seam.events.policy import Policy
from seam.events.signals import listening
from seam.outages import Outage
from seam.persistence import Command, Database, Query

Deliver = Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]
"""Delivers events and gives those that were, or raises when none was."""

LARGE_BATCH_BYTES: Final = 2 * 1024 * 1024
"""What a batch may take before the next one is smaller."""

FIRST_BATCH: Final = 100
"""How many events are read before it is known how large they are."""


@dataclass(slots=True, eq=False, kw_only=True)
class Stage:
    """One step on the way of a service's events: reads some of the outbox, and delivers it.

    Attributes:
        database: the publisher's database.
        read: reads what is to be delivered.
        done: says of what was delivered that it was.
        deliver: delivers it.
        outage: hears whether that works.
        batch: the most events at once.
        signal: is set when there is something to deliver.
    """

    database: Database
    read: Query[Event]
    done: Command
    deliver: Deliver
    outage: Outage
    batch: int
    signal: asyncio.Event = field(default_factory=asyncio.Event)


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
        follow: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        """Take a service's events through `stages`, all at once.

        Args:
            service: the service's name.
            stages: the steps on the way of its events.
            policy: how patient to be.
            prepare: what comes before the events of a partition are delivered.
            follow: is done now and then with each partition that another process has.
        """
        self.service = service
        self.stages = stages
        self.delivered = 0
        self._policy = policy
        self._prepare = prepare
        self._follow = follow
        self._held: set[int] = set()

    async def hold(self, partition: int) -> None:
        """Have a partition until cancelled, so that `run` delivers its events."""
        if self._prepare is not None:
            await self._prepare(partition)
        self._held.add(partition)
        self._wake()
        try:
            await asyncio.Event().wait()
        finally:
            self._held.discard(partition)

    async def run(self) -> None:
        """Deliver the events of the partitions that are held, until cancelled."""
        with listening(self.service, self._wake):
            tasks = [asyncio.create_task(self._run_stage(stage)) for stage in self.stages]
            if self._follow is not None:
                tasks.append(asyncio.create_task(self._follow_others(self._follow)))
            try:
                await asyncio.gather(*tasks)
            finally:
                await end_all(tasks)

    async def _follow_others(self, follow: Callable[[int], Awaitable[None]]) -> None:
        while True:
            # First of all, leases have their time to be shared out.
            await asyncio.sleep(self._policy.lease)
            for partition in range(PARTITIONS):
                if partition not in self._held:
                    await follow(partition)

    def _wake(self) -> None:
        for stage in self.stages:
            stage.signal.set()

    async def _run_stage(self, stage: Stage) -> None:
        limit, failures = min(stage.batch, FIRST_BATCH), 0
        while True:
            # Cleared before the outbox is read, so that nothing is missed in between.
            stage.signal.clear()
            try:
                events = await self._step(stage, limit)
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
            limit = _next_limit(stage, limit, events)
            if events:
                # For the next stage, and for what is beyond the limit.
                self._wake()
            else:
                # Other processes publish as well, and send no signal.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._policy.poll):
                        await stage.signal.wait()

    async def _step(self, stage: Stage, limit: int) -> Sequence[Event]:
        if not self._held:
            return ()
        events = await stage.database.fetch_all(
            stage.read, partitions=sorted(self._held), limit=limit
        )
        if events:
            delivered = await stage.deliver(events)
            positions = [event.position for event in delivered]
            await stage.database.execute(stage.done, positions=positions)
            self.delivered += len(delivered)
        return events


def _next_limit(stage: Stage, limit: int, events: Sequence[Event]) -> int:
    """How many events to read next, so that they take no more memory than they should."""
    if sum(len(event.data) for event in events) > LARGE_BATCH_BYTES:
        return max(1, limit // 2)
    return min(stage.batch, limit * 2)
