"""Reads the streams of other services, for one subscriber.

Each partition of a stream is read as a log. How far it is read stands in the subscriber's own
database, and is moved in the transaction of the events' effects, from where it was when they were
read: a reader that is out of date changes nothing. The broker is told nothing at all; what reads
there is a consumer that is made anew whenever something is amiss, beginning where the cursor is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

from nats.aio.msg import Msg

from seam.contract import StatusError
from seam.events.broker import Broker
from seam.events.cloudevents import batch_subject_of, events_of, subject_of
from seam.events.consumer import consuming, numbers_of
from seam.events.event import Event
from seam.events.failures import BrokerAwayError, DatabaseAwayError
from seam.events.policy import Policy
from seam.events.statements import statements_of
from seam.events.stream import Stream, stream_of
from seam.events.subscriber import Move, StaleCursorError, Subscriber
from seam.events.unread import count_unread
from seam.outages import Outage

log = logging.getLogger(__name__)

IDLE_MOVE: Final = 30.0
"""Seconds after which a cursor passes over what is in the stream for others."""


class StreamReader:
    """Reads what one service has published, for one subscriber.

    Attributes:
        owner: the service whose stream it is.
        subscriber: the service that reads it.
    """

    def __init__(self, broker: Broker, owner: str, subscriber: Subscriber, policy: Policy) -> None:
        """Read the stream of `owner` for `subscriber`."""
        self.owner = owner
        self.subscriber = subscriber.service
        self._broker = broker
        self._stream = Stream(broker, owner)
        self._subscriber = subscriber
        self._policy = policy
        self._cursor = statements_of(subscriber.service).cursor
        self._outage = Outage(f"{subscriber.service}, reading the events of {owner},")
        self._told: set[str] = set()

    async def unread(self) -> int:
        """Count the events of the stream that the subscriber has not read.

        Raises:
            BrokerAwayError: the broker does not answer.
            StatusError: the subscriber's database does not.
        """
        found = await self._subscriber.database.fetch_all(self._cursor.all)
        cursors = {partition: at for owner, partition, at in found if owner == self.owner}
        types = self._subscriber.handlers.types(self.owner)
        return await count_unread(self._broker, self.owner, cursors, types)

    async def run(self, partition: int) -> None:
        """Read a partition until cancelled."""
        await self._run(partition, catching_up=False)

    async def catch_up(self, partition: int) -> None:
        """Read what a partition of the stream holds now, however long that takes."""
        await self._run(partition, catching_up=True)

    async def _run(self, partition: int, *, catching_up: bool) -> None:
        failures = 0
        while True:
            try:
                await self._read(partition, catching_up=catching_up)
                if catching_up:
                    return
                failures = 0
            except StaleCursorError:
                log.info(
                    "somebody else reads partition %d of %s for %s as well",
                    partition,
                    self.owner,
                    self._subscriber.service,
                )
                failures = 1
            except (BrokerAwayError, StatusError, DatabaseAwayError) as error:
                # Each of these is in the log as what it is.
                log.debug("reading the events of %s: %s", self.owner, error)
                failures += 1
            except Exception as error:
                self._outage.failed(f"{type(error).__name__}: {error}")
                failures += 1
            await asyncio.sleep(self._policy.pause(failures) if failures else 0)

    async def _read(self, partition: int, *, catching_up: bool) -> None:
        """Read with one consumer, until it is amiss or, when catching up, has read all."""
        cursor, end = await self._begin(partition)
        if catching_up and cursor >= end:
            return
        subjects = [
            subject_of(each, partition) for each in self._subscriber.handlers.types(self.owner)
        ]
        subjects.append(batch_subject_of(self.owner, partition))
        idle_since = asyncio.get_running_loop().time()
        async with consuming(self._broker, self.owner, cursor, subjects) as consumer:
            while True:
                messages = await consumer.fetch(self._policy.batch)
                if not messages and self._outage.away:
                    self._outage.answered()
                if messages:
                    cursor = await self._deliver(partition, cursor, messages)
                    idle_since = asyncio.get_running_loop().time()
                    if self._outage.away:
                        self._outage.answered()
                    if catching_up and cursor >= end:
                        return
                    continue
                if catching_up:
                    await self._pass_by(partition, cursor, end)
                    return
                if asyncio.get_running_loop().time() - idle_since > IDLE_MOVE:
                    idle_since = asyncio.get_running_loop().time()
                    last = (await self._stream.info()).state.last_seq
                    if not await consumer.fetch(1):
                        cursor = await self._pass_by(partition, cursor, last)
                    else:
                        # What came meanwhile is read again from the cursor.
                        return
                else:
                    await consumer.wait()

    async def _begin(self, partition: int) -> tuple[int, int]:
        """Find the cursor, and the end of the stream; tell when something is missing between."""
        database, service = self._subscriber.database, self._subscriber.service
        state = (await self._stream.info()).state
        cursor = await database.fetch_one(self._cursor.find, of=self.owner, part=partition)
        if cursor is None:
            await database.execute(
                self._cursor.start, owner=self.owner, partition=partition, sequence=0
            )
            return 0, state.last_seq
        if cursor > state.last_seq:
            log.error(
                "the stream %s ends at %d and %s has read partition %d up to %d: it was made anew, "
                "and what it held is lost to those who had not read it; it is read from its "
                "beginning",
                stream_of(self.owner),
                state.last_seq,
                service,
                partition,
                cursor,
            )
            await database.execute(
                self._cursor.move, of=self.owner, part=partition, old=cursor, new=0
            )
            return 0, state.last_seq
        if 0 < cursor < state.first_seq - 1:
            message = (
                f"the stream {stream_of(self.owner)} begins at {state.first_seq} and {service} has "
                f"read partition {partition} up to {cursor}: it was made anew, or has dropped what "
                "was between them, which is lost to it"
            )
            if message not in self._told:
                self._told.add(message)
                log.error(message)
        return cursor, state.last_seq

    async def _deliver(self, partition: int, cursor: int, messages: list[Msg]) -> int:
        for events, last in self._batches(messages):
            await self._subscriber.deliver(self.owner, events, Move(partition, cursor, last))
            cursor = last
        return cursor

    def _batches(self, messages: list[Msg]) -> Iterator[tuple[list[Event], int]]:
        """Give the events of some messages as transactions should have them, each with its end.

        The cursor stands between messages, so the events of one message are in one transaction.
        """
        events: list[Event] = []
        last = done = 0
        for message in messages:
            last, _, _ = numbers_of(message)
            found, problems = events_of(message.headers or {}, last, message.data)
            for problem in problems:
                log.error("%s %d is no event: %s", stream_of(self.owner), last, problem)
            events += found
            if len(events) >= self._policy.batch:
                yield events, last
                events, done = [], last
        if last != done:
            yield events, last

    async def _pass_by(self, partition: int, cursor: int, last: int) -> int:
        """Move the cursor over what is of no interest here."""
        if last <= cursor:
            return cursor
        await self._subscriber.deliver(self.owner, [], Move(partition, cursor, last))
        return last
