"""Reads the streams of other services, for one subscriber.

Each partition of a stream is read as a log. How far it is read stands in the subscriber's own
database, and is moved in the transaction of the events' effects, from where it was when they were
read: a reader that is out of date changes nothing. The broker is told nothing at all; what reads
there is a consumer that is made anew whenever something is amiss, beginning where the cursor is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from seam.contract import StatusError
from seam.events.broker import (
    REQUEST_TIMEOUT,
    Broker,
    event_of,
    heed_cancellation,
    stream_of,
    subject_of,
)
from seam.events.event import Event
from seam.events.failures import BrokerAwayError, DatabaseAwayError
from seam.events.policy import Policy
from seam.events.statements import statements_of
from seam.events.subscriber import Move, StaleCursorError, Subscriber
from seam.outages import Outage

log = logging.getLogger(__name__)

IDLE_WAIT: Final = 2.0
"""Seconds for which the broker holds a question before it answers that there is nothing."""

IDLE_MOVE: Final = 30.0
"""Seconds after which a cursor passes over what is in the stream for others."""

INACTIVE: Final = 30.0
"""Seconds after which the broker forgets a consumer that nobody asks."""


class StreamReader:
    """Reads what one service has published, for one subscriber.

    Attributes:
        owner: the service whose stream it is.
        subscriber: the service that reads it.
        lag: by partition, how many events the stream held when it was last read that were not read.
    """

    def __init__(self, broker: Broker, owner: str, subscriber: Subscriber, policy: Policy) -> None:
        """Read the stream of `owner` for `subscriber`."""
        self.owner = owner
        self.subscriber = subscriber.service
        self.lag: dict[int, int] = {}
        self._broker = broker
        self._subscriber = subscriber
        self._policy = policy
        self._cursor = statements_of(subscriber.service).cursor
        self._outage = Outage(f"{subscriber.service}, reading the events of {owner},")
        self._told: set[str] = set()

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
        filters = [subject_of(each, partition) for each in self._subscriber.types(self.owner)]
        idle_since = asyncio.get_running_loop().time()
        async with self._consumer(cursor, filters) as consumer:
            while True:
                messages = await consumer.fetch(self._policy.batch)
                if not messages and self._outage.away:
                    self._outage.answered()
                if messages:
                    cursor = await self._deliver(partition, cursor, messages)
                    self.lag[partition] = consumer.pending
                    idle_since = asyncio.get_running_loop().time()
                    if self._outage.away:
                        self._outage.answered()
                    if catching_up and cursor >= end:
                        return
                    continue
                self.lag[partition] = 0
                if catching_up:
                    await self._pass_by(partition, cursor, end)
                    return
                if asyncio.get_running_loop().time() - idle_since > IDLE_MOVE:
                    idle_since = asyncio.get_running_loop().time()
                    last = (await self._broker.stream(self.owner)).state.last_seq
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
        state = (await self._broker.stream(self.owner)).state
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
                f"read partition {partition} up to {cursor}: what was between them is lost to it"
            )
            if message not in self._told:
                self._told.add(message)
                log.error(message)
        return cursor, state.last_seq

    async def _deliver(self, partition: int, cursor: int, messages: list[Msg]) -> int:
        events: list[Event] = []
        last = cursor
        for message in messages:
            last, _, _ = _numbers(message)
            try:
                events.append(event_of(message.headers or {}, last, message.data))
            except ValueError as error:
                log.error("%s %d is no event: %s", stream_of(self.owner), last, error)  # noqa: TRY400
        await self._subscriber.deliver(self.owner, events, Move(partition, cursor, last))
        return last

    async def _pass_by(self, partition: int, cursor: int, last: int) -> int:
        """Move the cursor over what is of no interest here."""
        if last <= cursor:
            return cursor
        await self._subscriber.deliver(self.owner, [], Move(partition, cursor, last))
        return last

    @asynccontextmanager
    async def _consumer(self, cursor: int, filters: list[str]) -> AsyncIterator[_Consumer]:
        """A consumer that begins after the cursor."""
        client = self._broker.client
        stream = stream_of(self.owner)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=cursor + 1,
            ack_policy=AckPolicy.NONE,
            filter_subjects=filters,
            inactive_threshold=INACTIVE,
            mem_storage=True,
        )
        self._broker.check()
        jetstream = client.jetstream(timeout=REQUEST_TIMEOUT)
        try:
            info = await jetstream.add_consumer(stream, config=config)
            consumer = _Consumer(self._broker, stream, info.name)
            subscription = await client.subscribe(consumer.inbox, cb=consumer.receive)
        except nats.js.errors.APIError:
            # An answer: the broker is there, and has no room for a consumer, say.
            raise
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise self._broker.failed(f"{type(error).__name__}: {error}") from None
        try:
            yield consumer
        finally:
            # What cannot be told to a broker that is away, it finds out by itself.
            with suppress(Exception):
                async with asyncio.timeout(1):
                    await subscription.unsubscribe()
                    if client.is_connected:
                        await jetstream.delete_consumer(stream, info.name)


class _Consumer:
    """Asks for messages, and sees that none is left out.

    Attributes:
        inbox: where messages arrive.
        pending: how many the stream holds beyond those that were fetched.
    """

    def __init__(self, broker: Broker, stream: str, name: str) -> None:
        self.inbox: str = broker.client.new_inbox()
        self.pending = 0
        self._broker = broker
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
        self._received: list[Msg] = []
        self._wanted = 0
        self._status = ""
        self._arrived = asyncio.Event()
        self._next = 1

    async def receive(self, message: Msg) -> None:
        """Take a message, or what the broker says instead."""
        status = (message.headers or {}).get("Status", "") if not message.data else ""
        if status:
            self._status = status
            self._arrived.set()
            return
        self._received.append(message)
        if len(self._received) >= self._wanted:
            self._arrived.set()

    async def fetch(self, batch: int) -> list[Msg]:
        """What is there, at most `batch` messages.

        Raises:
            BrokerAwayError: the consumer is amiss.
        """
        return await self._ask(batch, {"batch": batch, "no_wait": True}, REQUEST_TIMEOUT)

    async def wait(self) -> None:
        """Wait until there is something, or for a while.

        Raises:
            BrokerAwayError: the consumer is amiss.
        """
        expires = int(IDLE_WAIT * 1e9)
        # Put back, so that it is part of the next batch.
        self._received = await self._ask(
            1, {"batch": 1, "expires": expires}, IDLE_WAIT + REQUEST_TIMEOUT
        )
        self._next -= len(self._received)

    async def _ask(self, wanted: int, question: dict[str, object], seconds: float) -> list[Msg]:
        held = len(self._received)
        self._wanted = wanted + held
        self._status = ""
        self._arrived.clear()
        self._broker.check()
        try:
            async with asyncio.timeout(seconds):
                await self._broker.client.publish(
                    self._subject, json.dumps(question).encode(), reply=self.inbox
                )
                heed_cancellation()
                await self._arrived.wait()
        except TimeoutError:
            raise self._broker.failed("it does not answer in time") from None
        except (nats.errors.Error, OSError) as error:
            raise self._broker.failed(f"{type(error).__name__}: {error}") from None
        if self._status not in {"", "404", "408"}:
            raise BrokerAwayError(f"the consumer has ended: {self._status}")
        received, self._received = self._received, []
        for message in received:
            _, number, self.pending = _numbers(message)
            if number != self._next:
                raise BrokerAwayError("messages were left out")
            self._next += 1
        return received


def _numbers(message: Msg) -> tuple[int, int, int]:
    """Sequence in the stream, number in the consumer, and how many are left.

    Source: $JS.ACK in https://github.com/nats-io/nats-architecture-and-design, ADR-15.
    """
    tokens = message.reply.split(".")
    at = 5 if len(tokens) == 9 else 7
    return int(tokens[at]), int(tokens[at + 1]), int(tokens[at + 3])
