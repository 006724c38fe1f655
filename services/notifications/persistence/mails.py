"""Reads and writes mails."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session, one_of
from services.notifications.domain.letter import Letter
from services.notifications.persistence.tables import MailRow


class MailState(StrEnum):
    """How far a mail has come."""

    PENDING = "pending"
    """It is to be sent, or being sent."""

    SENT = "sent"
    """A server has taken it."""

    FAILED = "failed"
    """It cannot be sent."""

    NOT_SENT = "not_sent"
    """No server was configured when it was written."""


class Mail(msgspec.Struct, frozen=True):
    """A mail, and what became of it; see `MailRow`."""

    number: int
    mail_id: str
    recipient: str
    subject: str
    text: str
    html: str
    state: str
    attempts: int
    lease: int
    due_at: int
    written_at: int
    reason: str


_COLUMNS: Final = tuple(col(getattr(MailRow, name)) for name in Mail.__struct_fields__)

_ADD: Final = Command(
    lambda insert: (
        insert(MailRow)
        .values(
            mail_id=bindparam("mail_id"),
            user_id=bindparam("user_id"),
            recipient=bindparam("recipient"),
            subject=bindparam("subject"),
            text=bindparam("text"),
            html=bindparam("html"),
            state=bindparam("state"),
            attempts=0,
            lease=0,
            due_at=bindparam("now"),
            written_at=bindparam("now"),
            reason=bindparam("reason"),
        )
        .on_conflict_do_nothing(index_elements=["mail_id"])
    )
)

_DUE: Final = Query(
    select(*_COLUMNS)
    .where(
        col(MailRow.state) == MailState.PENDING.value,
        # Nobody puts a mail off for so long: a clock was set back.
        or_(col(MailRow.due_at) <= bindparam("now"), col(MailRow.due_at) > bindparam("horizon")),
    )
    .order_by(col(MailRow.due_at), col(MailRow.number))
    .limit(bindparam("most")),
    Mail,
)

_OF_LEASE: Final = (
    col(MailRow.number) == bindparam("of"),
    col(MailRow.state) == MailState.PENDING.value,
    col(MailRow.lease) == bindparam("held"),
)

_TAKE: Final = Command(
    update(MailRow)
    .where(*_OF_LEASE)
    .values(lease=col(MailRow.lease) + 1, due_at=bindparam("until"))
)

_END: Final = Command(
    update(MailRow)
    .where(*_OF_LEASE)
    .values(state=bindparam("new"), reason=bindparam("why"), attempts=col(MailRow.attempts) + 1)
)

_PUT_OFF: Final = Command(
    update(MailRow)
    .where(*_OF_LEASE)
    .values(
        due_at=bindparam("until"),
        reason=bindparam("why"),
        attempts=col(MailRow.attempts) + bindparam("tried"),
    )
)

_RETRY: Final = Command(
    update(MailRow)
    .where(
        col(MailRow.mail_id) == bindparam("of"),
        col(MailRow.state).in_([MailState.FAILED.value, MailState.NOT_SENT.value]),
    )
    .values(
        state=MailState.PENDING.value,
        attempts=0,
        lease=col(MailRow.lease) + 1,
        due_at=bindparam("now"),
        reason="",
    )
)

_FIND: Final = Query(select(*_COLUMNS).where(col(MailRow.mail_id) == bindparam("of")), Mail)

_NEWEST: Final = Query(
    select(*_COLUMNS)
    .where(one_of(col(MailRow.state), "states"))
    .order_by(col(MailRow.number).desc())
    .limit(bindparam("most")),
    Mail,
)

_COUNTED: Final = 10_000

_COUNT_WAITING: Final = Query(
    select(func.count()).select_from(
        select(col(MailRow.number))
        .where(col(MailRow.state) == MailState.PENDING.value)
        .limit(_COUNTED)
        .subquery()
    ),
    int,
)

_OLD: Final = Query(
    select(col(MailRow.number))
    .where(
        col(MailRow.state) != MailState.PENDING.value,
        col(MailRow.written_at) < bindparam("before"),
    )
    .limit(bindparam("most")),
    int,
)

_REMOVE: Final = Command(delete(MailRow).where(one_of(col(MailRow.number), "numbers")))

_REMOVE_OF_USER: Final = Command(delete(MailRow).where(col(MailRow.user_id) == bindparam("gone")))


class MailRepository:
    """Mails, in one session."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def add(
        self,
        mail_id: str,
        *,
        user_id: str | None,
        recipient: str,
        letter: Letter,
        state: MailState,
        reason: str,
        now: int,
    ) -> None:
        """Write a mail, unless there is one of its id."""
        await self._session.execute(
            _ADD,
            mail_id=mail_id,
            user_id=user_id,
            recipient=recipient,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            state=state.value,
            reason=reason,
            now=now,
        )

    async def due(self, now: int, horizon: int, most: int) -> list[Mail]:
        """Mails that are to be sent now, those that have waited longest first.

        Args:
            now: the time, in microseconds since the epoch.
            horizon: a time that is later than any mail is put off to.
            most: how many to give.
        """
        return await self._session.fetch_all(_DUE, now=now, horizon=horizon, most=most)

    async def take(self, mail: Mail, until: int) -> int | None:
        """Take a mail to send it; others leave it alone until then.

        Returns:
            The number of the lease; None when somebody else was faster.
        """
        taken = await self._session.execute(_TAKE, of=mail.number, held=mail.lease, until=until)
        return mail.lease + 1 if taken else None

    async def end(self, mail: Mail, lease: int, state: MailState, reason: str) -> None:
        """Note how a mail has ended, unless somebody else has it by now."""
        await self._session.execute(_END, of=mail.number, held=lease, new=state.value, why=reason)

    async def put_off(
        self, mail: Mail, lease: int, until: int, reason: str, *, tried: bool
    ) -> None:
        """Let a mail wait until some time, unless somebody else has it by now.

        Args:
            mail: the mail.
            lease: what `take` has given.
            until: when it is due again.
            reason: why it was not sent.
            tried: whether the server was asked to take it.
        """
        await self._session.execute(
            _PUT_OFF, of=mail.number, held=lease, until=until, why=reason, tried=int(tried)
        )

    async def retry(self, mail_id: str, now: int) -> bool:
        """Send a mail after all that failed or was not sent; False when there is none."""
        return bool(await self._session.execute(_RETRY, of=mail_id, now=now))

    async def find(self, mail_id: str) -> Mail | None:
        """One mail."""
        return await self._session.fetch_one(_FIND, of=mail_id)

    async def newest(self, states: Sequence[MailState], most: int) -> list[Mail]:
        """Mails in some states, the newest first."""
        return await self._session.fetch_all(
            _NEWEST, states=[state.value for state in states], most=most
        )

    async def count_waiting(self) -> int:
        """How many mails are to be sent, of which at most 10,000 are counted."""
        return await self._session.fetch_one(_COUNT_WAITING) or 0

    async def remove_old(self, before: int, most: int) -> int:
        """Delete mails that have ended and are older, and tell how many there were."""
        numbers = await self._session.fetch_all(_OLD, before=before, most=most)
        if numbers:
            await self._session.execute(_REMOVE, numbers=numbers)
        return len(numbers)

    async def remove_of_user(self, user_id: str) -> None:
        """Delete all mails to somebody who has left."""
        await self._session.execute(_REMOVE_OF_USER, gone=user_id)
