"""Sagas that go on for longer than they should: which they are, why, and how one is tried now.

Every saga ends by itself. These are for people who would like to know why one has not yet, and who
have just mended what it waits for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import bindparam, func, select, update

from seam.persistence import Command, Database, Query
from seam.sagas.tables import COMPENSATING, RUNNING, SagaTables

_MICROS: Final = 1_000_000

# What the history calls a saga that is turned round, and the first failure of a step in a row.
_TURNS: Final = ("stopped", "compensating")
_FAILURES: Final = ("failed", "undoing failed")


class Delayed(msgspec.Struct, frozen=True):
    """A saga that goes on; times are microseconds since the epoch.

    Attributes:
        id: the saga's identity.
        is_undone: whether it is being undone.
        step: where it is to go on.
        attempts: how often the step has failed in a row.
        since: since when it has been on its way to where it goes: since it began, or was turned
            round.
        due_at: when it is tried again; until when it is left to who has it, where somebody has.
        failure: why a step of it began to fail last; "" when none has failed.
    """

    id: str
    is_undone: bool
    step: str
    attempts: int
    since: int
    due_at: int
    failure: str


def _delayed(  # noqa: PLR0917 (the columns of a row)
    saga_id: str, state: str, step: str, attempts: int, since: int, due_at: int, failure: str
) -> Delayed:
    return Delayed(saga_id, state == COMPENSATING, step, attempts, since, due_at, failure)


class DelayedSagas:
    """The sagas of one service that have not ended."""

    def __init__(
        self, database: Database, tables: SagaTables, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Look into `tables` of `database`, by some clock."""
        self._database = database
        self._clock = clock
        saga, history = tables.saga, tables.history
        goes_on = saga.c.state.in_([RUNNING, COMPENSATING])
        turned = (
            select(func.max(history.c.at))
            .where(history.c.saga_id == saga.c.id, history.c.event.in_(_TURNS))
            .scalar_subquery()
        )
        since = func.coalesce(turned, saga.c.started_at)
        failure = (
            select(history.c.detail)
            .where(history.c.saga_id == saga.c.id, history.c.event.in_(_FAILURES))
            .order_by(history.c.position.desc())
            .limit(1)
            .scalar_subquery()
        )
        found = select(
            saga.c.id,
            saga.c.state,
            saga.c.step,
            saga.c.attempts,
            since,
            saga.c.due_at,
            func.coalesce(failure, ""),
        ).where(goes_on)
        self._page = Query(
            found.where(saga.c.id > bindparam("after"), since <= bindparam("before"))
            .order_by(saga.c.id)
            .limit(bindparam("most")),
            _delayed,
        )
        self._find = Query(found.where(saga.c.id == bindparam("of")), _delayed)
        # What somebody has is being tried, or is taken over once its lease has ended.
        self._hasten = Command(
            update(saga)
            .where(saga.c.id == bindparam("of"), goes_on, saga.c.holder == "")
            .values(due_at=bindparam("now"))
        )

    async def page(self, older_than: float, after: str, most: int) -> list[Delayed]:
        """Sagas that have been on their way for long, in the order of their identities.

        Args:
            older_than: for how many seconds.
            after: only those whose identity comes after this one; "" for the first page.
            most: how many to give.
        """
        before = self._now() - int(older_than * _MICROS)
        return await self._database.fetch_all(self._page, after=after, before=before, most=most)

    async def find(self, saga_id: str) -> Delayed | None:
        """One saga, however long it has gone on; None when it has ended."""
        return await self._database.fetch_one(self._find, of=saga_id)

    async def hasten(self, saga_id: str) -> bool:
        """Let a saga be due now; `SagaRunner.look` has it tried at once.

        Returns:
            False when it waits for no try: somebody has it, or it has ended.
        """
        return bool(await self._database.execute(self._hasten, of=saga_id, now=self._now()))

    def _now(self) -> int:
        return int(self._clock() * _MICROS)
