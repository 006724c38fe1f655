"""How many events a service's stream holds that a subscriber has not read.

A broker counts messages, and a message may hold several events, so the headers of what is unread
are looked at: of so many messages, and beyond that the number is an estimate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import nats.js.errors

from seam.events.broker import Broker
from seam.events.cloudevents import batch_subject_of, count_of, subject_of
from seam.events.consumer import consuming
from seam.events.event import PARTITIONS
from seam.events.failures import BrokerAwayError
from seam.events.statements import statements_of
from seam.events.stream import stream_of
from seam.persistence import Database

LOOKED_AT: Final = 1_000
"""Messages of a partition whose headers are looked at."""


async def unread_by_owner(broker: Broker, service: str, database: Database) -> dict[str, int]:
    """Count what a service has not read, of each service whose stream it reads.

    Args:
        broker: where the streams are.
        service: the service that reads.
        database: its database.

    Raises:
        BrokerAwayError: the broker does not answer.
        StatusError: the database does not.
    """
    cursors: dict[str, dict[int, int]] = {}
    for owner, partition, sequence in await database.fetch_all(statements_of(service).cursor.all):
        cursors.setdefault(owner, {})[partition] = sequence
    return {owner: await count_unread(broker, owner, at) for owner, at in cursors.items()}


async def count_unread(
    broker: Broker, owner: str, cursors: Mapping[int, int], types: Collection[str] | None = None
) -> int:
    """Count the events that a subscriber has not read.

    Args:
        broker: where the stream is; it need not hold it.
        owner: the service whose stream it is.
        cursors: how far the subscriber has read it, by partition.
        types: what it subscribes to; None when that is not known, and all types count. Those that
            came in messages with other events count in any case.

    Raises:
        BrokerAwayError: the broker does not answer.
    """
    try:
        with broker.asking() as jetstream:
            info = await jetstream.stream_info(stream_of(owner), subjects_filter=">")
        broker.answered()
        subjects = tuple(info.state.subjects or ())
        counts = [
            _count(broker, owner, cursors.get(partition, 0), _of(subjects, owner, partition, types))
            for partition in range(PARTITIONS)
            if cursors.get(partition, 0) < info.state.last_seq
        ]
        return sum(await asyncio.gather(*counts))
    except nats.js.errors.NotFoundError:
        return 0
    except nats.js.errors.APIError as error:
        # An answer: the broker is there, and has no room for a consumer, say.
        raise BrokerAwayError(f"{type(error).__name__}: {error}") from None


def _of(
    subjects: Sequence[str], owner: str, partition: int, types: Collection[str] | None
) -> list[str]:
    """Those subjects of a stream that a reader of a partition is interested in."""
    if types is None:
        return [each for each in subjects if each.endswith(f".{partition}")]
    wanted = {batch_subject_of(owner, partition), *(subject_of(each, partition) for each in types)}
    return [each for each in subjects if each in wanted]


async def _count(broker: Broker, owner: str, cursor: int, subjects: Sequence[str]) -> int:
    # Without a filter, a consumer would read all of the stream.
    if not subjects:
        return 0
    async with consuming(broker, owner, cursor, subjects, headers_only=True) as consumer:
        unread = consumer.pending
        if not unread:
            return 0
        messages = await consumer.fetch(LOOKED_AT)
    counted = sum(count_of(each.headers or {}) for each in messages)
    return counted if len(messages) >= unread else counted * unread // max(1, len(messages))
