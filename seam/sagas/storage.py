"""Reads and writes sagas.

Whoever has taken a saga writes under its lease: when somebody else has taken it since, nothing is
written, and the writer is told so.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, case, insert, null, or_, select, update

from seam.persistence import Command, Database, Query, Session, Transaction
from seam.sagas.saga import Reason
from seam.sagas.tables import (
    COMPENSATED,
    COMPENSATING,
    COMPLETED,
    MAXIMUM_DETAIL,
    MAXIMUM_REASON,
    RUNNING,
    SagaTables,
)


class SagaRecord(msgspec.Struct, frozen=True):
    """A saga as it is stored; times are microseconds since the epoch.

    Attributes:
        id: the saga's identity, which is that of its effects.
        name: which saga it is.
        state: `running`, `compensating`, `completed` or `compensated`.
        step: where it is to go on.
        attempts: how often the step has failed in a row.
        due_at: when it may be taken.
        lease: how often it was taken.
        holder: who has it, or died with it.
        started_at: when it began.
        deadline: until when it is to be done.
        data: what its steps work with, as JSON.
        stop: why somebody wants it undone.
        reason: why it is undone.
    """

    id: str
    name: str
    state: str
    step: str
    attempts: int
    due_at: int
    lease: int
    holder: str
    started_at: int
    deadline: int
    data: str
    stop: str | None
    reason: str | None


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened to a saga.

    Attributes:
        at: when, in microseconds since the epoch.
        step: to which step; "" for the whole saga.
        event: what: `done`, `failed`, `refused`, `undone`, `undoing failed`, `stopped`,
            `compensating`, `completed` or `compensated`.
        detail: what more is known.
    """

    at: int
    step: str
    event: str
    detail: str = ""


class Lease(msgspec.Struct, frozen=True):
    """What gives the right to write a saga.

    Attributes:
        saga_id: which saga.
        number: how often it has been taken, this time included.
    """

    saga_id: str
    number: int


class FencedError(Exception):
    """A saga cannot be written as it was: others have taken it or want it stopped."""


class SagaStorage:
    """The sagas of one service."""

    def __init__(self, tables: SagaTables) -> None:
        """Make the statements on `tables`."""
        saga, history = tables.saga, tables.history
        goes_on = saga.c.state.in_([RUNNING, COMPENSATING])
        mine = (saga.c.id == bindparam("of"), saga.c.lease == bindparam("token"))
        columns = [saga.c[name] for name in SagaRecord.__struct_fields__]
        self._add = Command(
            insert(saga).values(
                {name: bindparam(name) for name in SagaRecord.__struct_fields__ if name != "stop"}
            )
        )
        self._find = Query(select(*columns).where(saga.c.id == bindparam("of")), SagaRecord)
        self._due = Query(
            select(*columns)
            .where(
                goes_on,
                # A clock that was set back must not keep a saga from being taken.
                or_(saga.c.due_at <= bindparam("now"), saga.c.due_at > bindparam("horizon")),
            )
            .order_by(saga.c.due_at)
            .limit(bindparam("most")),
            SagaRecord,
        )
        self._list = Query(
            select(*columns)
            .where(or_(bindparam("every") == 1, goes_on))
            .order_by(saga.c.started_at.desc())
            .limit(bindparam("most")),
            SagaRecord,
        )
        self._take = Command(
            update(saga)
            .where(*mine, goes_on)
            .values(lease=saga.c.lease + 1, holder=bindparam("by"), due_at=bindparam("until"))
        )
        self._renew = Command(update(saga).where(*mine, goes_on).values(due_at=bindparam("until")))
        self._retry = Command(
            update(saga)
            .where(*mine, or_(saga.c.state == COMPENSATING, saga.c.stop.is_(None)))
            .values(
                step=bindparam("at_step"),
                attempts=bindparam("failures"),
                due_at=bindparam("until"),
                holder="",
            )
        )
        self._compensate = Command(
            update(saga)
            .where(*mine, saga.c.state == RUNNING)
            .values(
                state=COMPENSATING,
                step=bindparam("at_step"),
                reason=bindparam("why"),
                attempts=0,
            )
        )
        self._complete = Command(
            update(saga)
            .where(*mine, saga.c.state == RUNNING, saga.c.stop.is_(None))
            .values(state=COMPLETED, holder="", attempts=0, step=bindparam("at_step"))
        )
        self._compensated = Command(
            update(saga)
            .where(*mine, goes_on)
            .values(state=COMPENSATED, holder="", attempts=0, reason=bindparam("why"))
        )
        self._stop = Command(
            update(saga)
            .where(saga.c.id == bindparam("of"), saga.c.state == RUNNING, saga.c.stop.is_(None))
            .values(
                stop=bindparam("why"), due_at=case((saga.c.holder == "", 0), else_=saga.c.due_at)
            )
        )
        self._reopen = Command(
            update(saga)
            .where(saga.c.id == bindparam("of"), saga.c.state == COMPLETED)
            .values(
                state=COMPENSATING,
                reason=bindparam("why"),
                stop=null(),
                attempts=0,
                due_at=0,
                holder="",
            )
        )
        self._note = Command(
            insert(history).values(
                {name: bindparam(name) for name in ("saga_id", *Happening.__struct_fields__)}
            )
        )
        self._history = Query(
            select(*(history.c[name] for name in Happening.__struct_fields__))
            .where(history.c.saga_id == bindparam("of"))
            .order_by(history.c.position),
            Happening,
        )

    async def add(self, session: Session, record: SagaRecord) -> None:
        """Write a new saga."""
        values = msgspec.structs.asdict(record)
        del values["stop"]
        await session.execute(self._add, **values)

    async def find(self, session: Session, saga_id: str) -> SagaRecord | None:
        """One saga."""
        return await session.fetch_one(self._find, of=saga_id)

    async def due(self, session: Session, now: int, horizon: int, most: int) -> list[SagaRecord]:
        """Sagas that may be taken now, those that have waited longest first."""
        return await session.fetch_all(self._due, now=now, horizon=horizon, most=most)

    async def newest(self, session: Session, most: int, *, ended: bool) -> list[SagaRecord]:
        """The newest sagas; without `ended`, those alone that go on."""
        return await session.fetch_all(self._list, most=most, every=int(ended))

    async def history(self, session: Session, saga_id: str) -> list[Happening]:
        """What happened to a saga, in this order."""
        return await session.fetch_all(self._history, of=saga_id)

    async def take(self, session: Session, record: SagaRecord, by: str, until: int) -> bool:
        """Take a saga as it was read; False when somebody else was faster."""
        return bool(
            await session.execute(self._take, of=record.id, token=record.lease, by=by, until=until)
        )

    async def renew(self, session: Session, lease: Lease, until: int) -> bool:
        """Keep a saga until then; False when somebody else has taken it."""
        return bool(
            await session.execute(self._renew, of=lease.saga_id, token=lease.number, until=until)
        )

    async def note(
        self, transaction: Transaction, saga_id: str, happenings: list[Happening]
    ) -> None:
        """Write down what happened to a saga."""
        await transaction.execute_many(
            self._note,
            [
                {
                    "saga_id": saga_id,
                    "at": each.at,
                    "step": each.step,
                    "event": each.event,
                    "detail": _storable(each.detail, MAXIMUM_DETAIL),
                }
                for each in happenings
            ],
        )

    async def retry(
        self, transaction: Transaction, lease: Lease, step: str, failures: int, at: int
    ) -> None:
        """Let go of a saga until it is to be tried again.

        Raises:
            FencedError: it was taken by somebody else or is to be stopped.
        """
        _fence(
            await transaction.execute(
                self._retry,
                of=lease.saga_id,
                token=lease.number,
                at_step=step,
                failures=failures,
                until=at,
            )
        )

    async def compensate(
        self, transaction: Transaction, lease: Lease, step: str, reason: Reason
    ) -> None:
        """Turn a saga round, to undo `step` and those before it.

        Raises:
            FencedError: it was taken by somebody else.
        """
        _fence(
            await transaction.execute(
                self._compensate,
                of=lease.saga_id,
                token=lease.number,
                at_step=step,
                why=written(reason),
            )
        )

    async def complete(self, transaction: Transaction, lease: Lease, step: str) -> None:
        """End a saga as done.

        Raises:
            FencedError: it was taken by somebody else or is to be stopped.
        """
        _fence(
            await transaction.execute(
                self._complete, of=lease.saga_id, token=lease.number, at_step=step
            )
        )

    async def compensated(self, transaction: Transaction, lease: Lease, reason: Reason) -> None:
        """End a saga as undone.

        Raises:
            FencedError: it was taken by somebody else.
        """
        _fence(
            await transaction.execute(
                self._compensated, of=lease.saga_id, token=lease.number, why=written(reason)
            )
        )

    async def stop(self, transaction: Transaction, saga_id: str, reason: Reason) -> bool:
        """Have a saga undone that runs or is done; False when it is undone already."""
        why = written(reason)
        return bool(
            await transaction.execute(self._stop, of=saga_id, why=why)
            or await transaction.execute(self._reopen, of=saga_id, why=why)
        )


async def saga_history(database: Database, tables: SagaTables, saga_id: str) -> list[Happening]:
    """What happened to a saga, in this order."""
    return await SagaStorage(tables).history(database, saga_id)


def written(reason: Reason) -> str:
    """A reason as it is stored."""
    detail = _storable(reason.detail, MAXIMUM_REASON // 8)
    return msgspec.json.encode(Reason(reason.kind, detail)).decode()


def read(reason: str) -> Reason:
    """A reason as it was stored."""
    return msgspec.json.decode(reason, type=Reason)


def _storable(text: str, maximum: int) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()[:maximum]


def _fence(changed: int) -> None:
    if not changed:
        raise FencedError
