"""Reads a stream from a place on, message by message, and sees that none is left out.

The broker is told nothing about what becomes of a message. A consumer is made for one reader, and
is forgotten when it ends; when something is amiss, another one is made.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from seam.events.broker import REQUEST_TIMEOUT, Broker, heed_cancellation
from seam.events.failures import BrokerAwayError
from seam.events.stream import stream_of

IDLE_WAIT: Final = 2.0
"""Seconds for which the broker holds a question before it answers that there is nothing."""

INACTIVE: Final = 30.0
"""Seconds after which the broker forgets a consumer that nobody asks."""

MAXIMUM_FETCHED_BYTES: Final = 1024 * 1024
"""What the messages of one answer may take; more than any message does."""

_NOTHING_MORE: Final = frozenset({"", "404", "408"})
_TOO_LARGE: Final = "Message Size Exceeds MaxBytes"


class Consumer:
    """Asks for messages, and sees that none is left out.

    Attributes:
        inbox: where messages arrive.
        pending: how many the stream holds beyond those that were fetched.
    """

    def __init__(self, broker: Broker, stream: str, name: str, pending: int) -> None:
        """Ask the consumer of a name; see `consuming`."""
        self.inbox: str = broker.client.new_inbox()
        self.pending = pending
        self._broker = broker
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
        self._received: list[Msg] = []
        self._wanted = 0
        self._status = ""
        self._description = ""
        self._arrived = asyncio.Event()
        self._next = 1

    async def receive(self, message: Msg) -> None:
        """Take a message, or what the broker says instead."""
        headers = message.headers or {}
        status = "" if message.data else headers.get("Status", "")
        if status:
            self._status, self._description = status, headers.get("Description", "")
            self._arrived.set()
            return
        self._received.append(message)
        if len(self._received) >= self._wanted:
            self._arrived.set()

    async def fetch(self, count: int) -> list[Msg]:
        """What is there, at most `count` messages, and one more after `wait`.

        Raises:
            BrokerAwayError: the consumer is amiss.
        """
        question = {"batch": count, "no_wait": True, "max_bytes": MAXIMUM_FETCHED_BYTES}
        return await self._ask(count, question, REQUEST_TIMEOUT)

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

    async def _ask(self, wanted: int, question: Mapping[str, object], seconds: float) -> list[Msg]:
        held = len(self._received)
        self._wanted = wanted + held
        self._status = self._description = ""
        self._arrived.clear()
        with self._broker.asking():
            try:
                async with asyncio.timeout(seconds):
                    await self._broker.client.publish(
                        self._subject, json.dumps(question).encode(), reply=self.inbox
                    )
                    heed_cancellation()
                    await self._arrived.wait()
            except TimeoutError:
                raise self._broker.failed("it does not answer in time") from None
        received, self._received = self._received, []
        # What does not fit into one answer comes in the next.
        rest = bool(received) and self._description == _TOO_LARGE
        if self._status not in _NOTHING_MORE and not rest:
            raise BrokerAwayError(f"the consumer has ended: {self._status}")
        for message in received:
            _, number, self.pending = numbers_of(message)
            if number != self._next:
                raise BrokerAwayError("messages were left out")
            self._next += 1
        return received


@asynccontextmanager
async def consuming(
    broker: Broker, owner: str, cursor: int, subjects: Sequence[str], *, headers_only: bool = False
) -> AsyncIterator[Consumer]:
    """Read a service's stream until the block ends.

    Args:
        broker: where the stream is.
        owner: the service.
        cursor: the sequence after which to begin.
        subjects: what is of interest.
        headers_only: whether messages come without their data.

    Raises:
        BrokerAwayError: the broker does not answer.
        APIError: it does, and makes no consumer.
    """
    stream = stream_of(owner)
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=cursor + 1,
        ack_policy=AckPolicy.NONE,
        filter_subjects=list(subjects),
        inactive_threshold=INACTIVE,
        mem_storage=True,
        headers_only=headers_only,
    )
    client = broker.client
    with broker.asking() as jetstream:
        info = await jetstream.add_consumer(stream, config=config)
        consumer = Consumer(broker, stream, info.name, info.num_pending or 0)
        subscription = await client.subscribe(consumer.inbox, cb=consumer.receive)
    try:
        yield consumer
    finally:
        # What cannot be told to a broker that is away, it finds out by itself.
        with suppress(Exception):
            async with asyncio.timeout(1):
                await subscription.unsubscribe()
                if client.is_connected:
                    await jetstream.delete_consumer(stream, info.name)


def numbers_of(message: Msg) -> tuple[int, int, int]:
    """Sequence in the stream, number in the consumer, and how many are left.

    Source: $JS.ACK in https://github.com/nats-io/nats-architecture-and-design, ADR-15.
    """
    tokens = message.reply.split(".")
    at = 5 if len(tokens) == 9 else 7
    return int(tokens[at]), int(tokens[at + 1]), int(tokens[at + 3])
