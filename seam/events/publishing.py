"""Publishes events: writes them into the outbox, in the transaction that they tell of."""

from __future__ import annotations

from functools import partial
from typing import Final, TypeVar

from seam.call import current_call
from seam.contract import EventDescriptor, InvalidField, Record
from seam.events.event import microseconds, new_id, partition_of
from seam.events.signals import wake
from seam.events.statements import statements_of
from seam.persistence import Transaction, text_refusal

E = TypeVar("E", bound=Record)

MAXIMUM_DATA_BYTES: Final = 64 * 1024
"""Size of an event's message. Thousands of events are on their way at once, in memory; what is
larger is better asked for by those who hear of it."""

MAXIMUM_KEY: Final = 255
"""Characters of an event's key."""


async def publish(transaction: Transaction, event: EventDescriptor[E], *records: E) -> None:
    """Publish events when `transaction` commits, and not at all when it does not.

    Subscribers get those with the same key in the order in which they were published. For that, a
    transaction that publishes holds what the key stands for: the row of the order whose id is the
    key was inserted, changed or locked before in the same transaction.

    Args:
        transaction: a unit of work on the database of the service whose event it is.
        event: the type of the events.
        records: the events.

    Raises:
        ValueError: the event is another service's.
        InvalidField: an event holds a wrong value, or its key or itself is too long.
    """
    if event.owner != transaction.service:
        raise ValueError(
            f"{event.type} is an event of '{event.owner}', and this is a transaction of "
            f"'{transaction.service}', which publishes its own events alone"
        )
    now = microseconds()
    call = current_call.get()
    traceparent = "" if call is None else call.traceparent
    rows: list[dict[str, object]] = []
    for record in records:
        key = event.key(record)
        refusal = text_refusal(key, MAXIMUM_KEY)
        if refusal is not None:
            raise InvalidField("", f"the key of {event.type} {refusal}")
        data = event.codec.encode(record)
        if len(data) > MAXIMUM_DATA_BYTES:
            raise InvalidField(
                "", f"{event.type} takes {len(data)} bytes; expected at most {MAXIMUM_DATA_BYTES}"
            )
        rows.append(
            {
                "partition": partition_of(key),
                "delivered": False,
                "id": new_id(now),
                "type": event.type,
                "key": key,
                "time": now,
                "traceparent": traceparent,
                "data": data,
            }
        )
    add = statements_of(event.owner).outbox.add
    if len(rows) == 1:
        await transaction.execute(add, **rows[0])
    else:
        await transaction.execute_many(add, rows)
    transaction.after_commit(partial(wake, event.owner))
