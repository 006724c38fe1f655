"""Counts attempts, for all replicas together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, update
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.authentication.domain.back_off import (
    FORGOTTEN_AFTER,
    Attempts,
    after_one_more,
    wait,
)
from services.authentication.persistence.tables import AttemptRow

# One statement that finds the row or makes it, and locks it.
_LOCK: Final = Query(
    lambda insert: (
        insert(AttemptRow)
        .values(subject=bindparam("subject"), failed=0, last=0)
        .on_conflict_do_update(index_elements=["subject"], set_={"failed": AttemptRow.failed})
        .returning(col(AttemptRow.failed), col(AttemptRow.last))
    ),
    Attempts,
)
_WRITE: Final = Command(
    update(AttemptRow)
    .where(col(AttemptRow.subject) == bindparam("of"))
    .values(failed=bindparam("failures"), last=bindparam("at"))
)
_TOUCH: Final = Command(
    update(AttemptRow)
    .where(col(AttemptRow.subject) == bindparam("of"))
    .values(last=bindparam("at"))
)
_FORGET: Final = Command(delete(AttemptRow).where(col(AttemptRow.subject) == bindparam("of")))
_TRIM: Final = Command(delete(AttemptRow).where(col(AttemptRow.last) < bindparam("before")))


class AttemptRepository:
    """Attempts by what is attempted."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a transaction."""
        self._session = session

    async def begin(self, subject: str, now: int) -> int:
        """Count an attempt as one that has failed, unless it has to wait.

        Others who begin the same wait for the transaction to end.

        Returns:
            How many seconds the attempt has to wait; 0 when it has begun.
        """
        attempts = await self._session.fetch_one(_LOCK, subject=subject)
        assert attempts is not None, "the statement gives the row that it has written"
        seconds = wait(attempts, now)
        if not seconds:
            failed, last = after_one_more(attempts, now)
            await self._session.execute(_WRITE, of=subject, failures=failed, at=last)
        return seconds

    async def touch(self, subject: str, now: int) -> None:
        """Let the last attempt have been now."""
        await self._session.execute(_TOUCH, of=subject, at=now)

    async def forget(self, subject: str) -> None:
        """Forget attempts, since one has succeeded."""
        await self._session.execute(_FORGET, of=subject)

    async def trim(self, now: int) -> None:
        """Forget what makes nobody wait."""
        await self._session.execute(_TRIM, before=now - FORGOTTEN_AFTER)
