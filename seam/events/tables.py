"""Tables that a service which publishes or subscribes has beside its own, in its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

_POSITION: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up a column of this type alone."""


@dataclass(frozen=True, slots=True)
class EventTables:
    """The tables of one service.

    Attributes:
        outbox: events that were published and are not yet delivered.
        inbox: ids of the events whose effects are in the service's tables, or that are parked.
        parked: events that wait for another attempt, or for an earlier one of their key; and dead
            letters.
        cursor: how far the service has read each partition of other services' streams.
        lease: which process does what, among the replicas of the service.
    """

    outbox: Table
    inbox: Table
    parked: Table
    cursor: Table
    lease: Table


def event_tables(metadata: MetaData) -> EventTables:
    """Add the tables of events to a service's own, so that its migrations see them.

    Args:
        metadata: the service's tables; its `schema` is the service's name.
    """
    outbox = Table(
        "outbox",
        metadata,
        Column("position", _POSITION, primary_key=True, autoincrement=True),
        Column("partition", SmallInteger, nullable=False),
        Column("delivered", Boolean, nullable=False),
        *_event_columns(),
        Index("outbox_partition", "partition", "position"),
        # A position that was deleted must never come again: a relay may be about to delete it.
        sqlite_autoincrement=True,
    )
    inbox = Table(
        "inbox",
        metadata,
        Column("id", Text, primary_key=True),
        Column("received", BigInteger, nullable=False),
        Index("inbox_received", "received"),
    )
    parked = Table(
        "parked_event",
        metadata,
        Column("number", _POSITION, primary_key=True, autoincrement=True),
        Column("owner", Text, nullable=False),
        *_event_columns(),
        Column("attempts", Integer, nullable=False),
        Column("reason", Text, nullable=False),
        Column("dead", Boolean, nullable=False),
        Column("next_attempt", BigInteger, nullable=True),
        Index("parked_event_id", "id", unique=True),
        Index("parked_event_key", "owner", "key", "number"),
        Index("parked_event_next_attempt", "next_attempt"),
        sqlite_autoincrement=True,
    )
    cursor = Table(
        "stream_cursor",
        metadata,
        Column("owner", Text, primary_key=True),
        Column("partition", SmallInteger, primary_key=True, autoincrement=False),
        Column("sequence", BigInteger, nullable=False),
    )
    lease = Table(
        "event_lease",
        metadata,
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("expires", BigInteger, nullable=False),
    )
    return EventTables(outbox, inbox, parked, cursor, lease)


def _event_columns() -> tuple[Column[str] | Column[int] | Column[bytes], ...]:
    return (
        Column("id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("traceparent", Text, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )


def has_event_tables(metadata: MetaData) -> bool:
    """Whether the tables of events are among a service's own."""
    return f"{metadata.schema}.outbox" in metadata.tables
