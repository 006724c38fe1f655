"""The log of what one service has published: a stream of NATS JetStream.

A stream is kept in files of the broker, for seven days. Nothing is taken out of it when it is read:
each subscriber keeps in its own database how far it has come, see `seam.events.stream_reader`. A
stream that is full refuses what comes, and the publisher's outbox keeps it.

Events of one partition are written one message after the other, and a message only when the broker
has the one before it. Several that are merely sent could end up with a gap, when one is refused and
the next is not, or when a connection breaks in their middle; and a gap that is filled later is a
wrong order. What may have been written already is written again, perhaps cut into other messages:
subscribers know the ids of events that they have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo

from seam.events.broker import Broker
from seam.events.cloudevents import MAXIMUM_MESSAGE_BYTES, messages_of
from seam.events.event import Event, microseconds
from seam.events.failures import BrokerAwayError

MAXIMUM_AGE: Final = 7 * 24 * 3600.0
"""Seconds for which a stream keeps an event."""

DUPLICATE_WINDOW: Final = 120.0
"""Seconds within which the broker knows a message that is sent again by its id."""

_IN_USE: Final = 10058
"""The broker's code for a stream that exists and is configured otherwise."""

_HEADER_BYTES: Final = 1024
"""What the headers of a message with several events take at most."""


def stream_of(owner: str) -> str:
    """The stream of a service's events."""
    return f"events-{owner}"


class Stream:
    """The stream of one service.

    Attributes:
        owner: the service that publishes.
        broker: where the stream is.
    """

    def __init__(self, broker: Broker, owner: str) -> None:
        """Use the stream of `owner`, which need not be there."""
        self.owner = owner
        self.broker = broker
        self._found = False
        self._refusal = broker.refusal(owner)

    async def info(self) -> StreamInfo:
        """What is known of the stream, which is made if it is not there.

        Raises:
            BrokerAwayError: the broker cannot say, or cannot make it.
        """
        try:
            with self.broker.asking() as jetstream:
                info = await _found_or_made(jetstream, self.owner)
        except nats.js.errors.APIError as error:
            raise self.broker.failed(f"{type(error).__name__}: {error}") from None
        self.broker.answered()
        self._found = True
        return info

    async def publish(self, partition: int, events: Sequence[Event]) -> int:
        """Write events of one partition, in order.

        Events that the stream has already may be written again.

        Args:
            partition: the partition.
            events: some events.

        Returns:
            The sequence of the last message in the stream.

        Raises:
            BrokerAwayError: some, or all, were maybe not written.
        """
        if not self._found:
            await self.info()
        sequence = 0
        largest = min(MAXIMUM_MESSAGE_BYTES, self.broker.client.max_payload - _HEADER_BYTES)
        for subject, headers, data in messages_of(self.owner, partition, events, largest):
            try:
                answer = await self.broker.request(subject, data, headers)
            except BrokerAwayError:
                self._found = False
                raise
            if "error" in answer:
                self._found = False
                reason = str(answer["error"].get("description", answer["error"]))
                self._refusal.failed(reason)
                raise BrokerAwayError(reason)
            sequence = answer["seq"]
        if self._refusal.away:
            self._refusal.answered()
        return sequence


async def _found_or_made(jetstream: JetStreamContext, owner: str) -> StreamInfo:
    name = stream_of(owner)
    with suppress(nats.js.errors.NotFoundError):
        return await jetstream.stream_info(name)
    try:
        return await jetstream.add_stream(_config(owner))
    except nats.js.errors.APIError as error:
        # Another process has made it at the same time, with another beginning.
        if error.err_code != _IN_USE:
            raise
    return await jetstream.stream_info(name)


def _config(owner: str) -> StreamConfig:
    return StreamConfig(
        name=stream_of(owner),
        description=f"what {owner} has published",
        subjects=[f"events.{owner}.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        max_age=MAXIMUM_AGE,
        discard=DiscardPolicy.NEW,
        duplicate_window=DUPLICATE_WINDOW,
        # Were a stream that is made anew numbered like the one before, a subscriber could take what
        # it holds for what it has read there.
        first_seq=microseconds(),
    )
