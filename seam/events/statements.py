"""What is said to the tables of events; made once for each service, whose schema they are in."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from seam.events.event import Event
from seam.events.tables import event_tables
from seam.persistence import Command, Query, one_of


class Parked(msgspec.Struct, frozen=True):
    """An event that waits for another attempt, or for an earlier one of its key; or a dead letter.

    Attributes:
        event: the event; its position is its number among those that are parked.
        owner: the service that published it.
        attempts: how often it was tried.
        reason: why it failed last; "" when it only waits for an earlier one.
        dead: whether nobody tries it again.
        next_attempt: when it is tried again, in microseconds since the epoch; None when that
            depends on an earlier one, or when it is dead.
        received: when the service was first given it, in microseconds since the epoch; None where
            that was not looked for, or has left the inbox.
    """

    event: Event
    owner: str
    attempts: int
    reason: str
    dead: bool
    next_attempt: int | None
    received: int | None = None


class Lease(msgspec.Struct, frozen=True):
    """Who does something, and until when unless it is renewed."""

    name: str
    holder: str
    expires: int


class OutboxStatements:
    """Of the outbox."""

    def __init__(self, outbox: Table) -> None:
        """Make them for a table."""
        c = outbox.c
        position = c.position
        self.add = Command(insert(outbox).values(_bound(outbox, leave_out="position")))
        of_partitions = select(*_event(outbox, position)).where(_among(c.partition, "partitions"))
        self.read = _page(of_partitions, position)
        self.read_undelivered = _page(of_partitions.where(~c.delivered), position)
        self.read_delivered = _page(of_partitions.where(c.delivered), position)
        self.mark_delivered = Command(
            update(outbox).values(delivered=True).where(_among(position, "positions"))
        )
        self.mark_undelivered = Command(
            update(outbox)
            .values(delivered=False)
            .where(c.partition == bindparam("which"), c.delivered)
        )
        self.remove = Command(delete(outbox).where(_among(position, "positions")))
        self.oldest = Query(select(position, c.time).order_by(position).limit(1), _pair)
        self.newest = Query(select(position).order_by(position.desc()).limit(1), _int)
        some = select(literal(1)).select_from(outbox).limit(bindparam("limit")).subquery()
        self.count = Query(select(func.count()).select_from(some), _int)


class InboxStatements:
    """Of the inbox."""

    def __init__(self, inbox: Table) -> None:
        """Make them for a table."""
        c = inbox.c
        self.known = Query(select(c.id).where(_among(c.id, "ids")), _str)
        self.add = Command(insert(inbox).values(_bound(inbox)))
        old = select(c.id).where(c.received < bindparam("before")).limit(bindparam("limit"))
        self.trim = Command(delete(inbox).where(c.id.in_(old)))


class ParkedStatements:
    """Of parked events and dead letters."""

    def __init__(self, parked: Table, inbox: Table) -> None:
        """Make them for a table, and the inbox that all of its events have gone through."""
        c = parked.c
        received = select(inbox.c.received).where(inbox.c.id == c.id).scalar_subquery()
        waiting = ~c.dead
        found = select(
            *_event(parked, c.number), c.owner, c.attempts, c.reason, c.dead, c.next_attempt
        )
        of_number = c.number == bindparam("which")
        self.add = Command(insert(parked).values(_bound(parked, leave_out="number")))
        self.keys = Query(
            select(c.key)
            .distinct()
            .where(waiting, c.owner == bindparam("of"), _among(c.key, "keys")),
            _str,
        )
        self.due = Query(
            found.where(waiting, c.next_attempt <= bindparam("now"))
            .order_by(c.next_attempt)
            .limit(bindparam("limit")),
            _parked,
        )
        self.lock = Query(found.where(of_number, waiting).with_for_update(), _parked)
        self.fail = Command(
            update(parked)
            .where(of_number, waiting)
            .values(
                attempts=bindparam("tried"),
                reason=bindparam("why"),
                dead=bindparam("is_dead"),
                next_attempt=bindparam("at"),
            )
        )
        self.remove = Command(delete(parked).where(of_number))
        first = parked.alias("first")
        firsts = select(func.min(first.c.number)).where(~first.c.dead)
        of_key = firsts.where(first.c.owner == bindparam("of"), first.c.key == bindparam("about"))
        wake = update(parked).where(c.next_attempt.is_(None)).values(next_attempt=bindparam("now"))
        self.wake_key = Command(wake.where(c.number.in_(of_key)))
        self.wake_all = Command(
            wake.where(c.number.in_(firsts.group_by(first.c.owner, first.c.key)))
        )
        self.hasten = Command(
            update(parked)
            .where(waiting, c.next_attempt > bindparam("horizon"))
            .values(next_attempt=bindparam("now"))
        )
        self.count = Query(
            select(func.count()).select_from(
                select(literal(1))
                .select_from(parked)
                .where(c.dead == bindparam("is_dead"))
                .limit(bindparam("limit"))
                .subquery()
            ),
            _int,
        )
        self.dead = Query(
            found.add_columns(received)
            .where(c.dead, c.number > bindparam("after"))
            .order_by(c.number)
            .limit(bindparam("limit")),
            _parked,
        )
        self.find = Query(found.where(c.id == bindparam("event")), _parked)
        dead_one = and_(c.dead, c.id == bindparam("event"))
        self.replay = Command(
            update(parked)
            .where(dead_one)
            .values(dead=False, attempts=0, next_attempt=bindparam("now"))
        )
        self.drop = Command(delete(parked).where(dead_one))


class CursorStatements:
    """Of how far streams are read."""

    def __init__(self, cursor: Table) -> None:
        """Make them for a table."""
        c = cursor.c
        here = and_(c.owner == bindparam("of"), c.partition == bindparam("part"))
        self.find = Query(select(c.sequence).where(here), _int)
        self.all = Query(select(c.owner, c.partition, c.sequence), _triple)
        self.start = Command(
            lambda insert: insert(cursor).values(_bound(cursor)).on_conflict_do_nothing()
        )
        self.move = Command(
            update(cursor)
            .where(here, c.sequence == bindparam("old"))
            .values(sequence=bindparam("new"))
        )
        self.forget = Command(delete(cursor).where(c.owner == bindparam("of")))
        self.pass_by = Command(
            update(cursor)
            .where(here, c.sequence < bindparam("new"))
            .values(sequence=bindparam("new"))
        )


class LeaseStatements:
    """Of leases."""

    def __init__(self, lease: Table) -> None:
        """Make them for a table."""
        c = lease.c
        self.all = Query(select(c.name, c.holder, c.expires), Lease)
        self.add = Command(
            lambda insert: insert(lease).values(_bound(lease)).on_conflict_do_nothing()
        )
        self.renew = Command(
            update(lease).where(c.holder == bindparam("me")).values(expires=bindparam("until"))
        )
        self.take = Command(
            update(lease)
            .where(
                c.name == bindparam("which"),
                c.holder == bindparam("before"),
                c.expires == bindparam("expired"),
            )
            .values(holder=bindparam("me"), expires=bindparam("until"))
        )
        self.release = Command(
            update(lease)
            .where(c.name == bindparam("which"), c.holder == bindparam("me"))
            .values(holder="", expires=0)
        )
        self.release_all = Command(
            update(lease).where(c.holder == bindparam("me")).values(holder="", expires=0)
        )
        self.forget = Command(delete(lease).where(c.name == bindparam("which")))


class Statements:
    """All that is said to the tables of events of one service."""

    def __init__(self, service: str) -> None:
        """Make them for the schema of a service."""
        tables = event_tables(MetaData(schema=service))
        self.outbox = OutboxStatements(tables.outbox)
        self.inbox = InboxStatements(tables.inbox)
        self.parked = ParkedStatements(tables.parked, tables.inbox)
        self.cursor = CursorStatements(tables.cursor)
        self.lease = LeaseStatements(tables.lease)


@cache
def statements_of(service: str) -> Statements:
    """The statements of a service, made when they are first asked for."""
    return Statements(service)


def _bound(table: Table, leave_out: str = "") -> dict[str, Any]:
    return {c.name: bindparam(c.name, type_=c.type) for c in table.c if c.name != leave_out}


def _among(column: Column[Any], name: str) -> ColumnElement[bool]:
    return one_of(column, name)


def _page(found: Any, position: Column[Any]) -> Query[Event]:  # noqa: ANN401
    return Query(found.order_by(position).limit(bindparam("limit")), Event)


def _event(table: Table, position: Column[Any]) -> tuple[Column[Any], ...]:
    c = table.c
    return (position, c.id, c.type, c.key, c.time, c.traceparent, c.data)


def _parked(*row: Any) -> Parked:  # noqa: ANN401
    return Parked(Event(*row[:7]), *row[7:])


def _str(value: str) -> str:
    return value


def _int(value: int) -> int:
    return value


def _pair(first: int, second: int) -> tuple[int, int]:
    return first, second


def _triple(first: str, second: int, third: int) -> tuple[str, int, int]:
    return first, second, third
