"""Reads and writes what has happened in chats."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.customer_chat.persistence.chats import time_of
from services.customer_chat.persistence.tables import EntryRow
from services.customer_chat.records.api import Entry, EntryKind, Participant


def _entry(  # noqa: PLR0917 (the columns of a row)
    position: int, kind: int, participant: int, at: int, message_id: str | None, text: str
) -> Entry:
    return Entry(
        position=position,
        kind=EntryKind(kind),
        participant=Participant(participant),
        at=time_of(at),
        message_id=message_id or "",
        text=text,
    )


def _time(at: int) -> int:
    return at


_COLUMNS: Final = (
    col(EntryRow.position),
    col(EntryRow.kind),
    col(EntryRow.participant),
    col(EntryRow.at),
    col(EntryRow.message_id),
    col(EntryRow.text),
)

_ADD: Final = Command(
    insert(EntryRow).values(
        chat_id=bindparam("chat_id"),
        position=bindparam("position"),
        kind=bindparam("kind"),
        participant=bindparam("participant"),
        author=bindparam("author"),
        at=bindparam("at"),
        message_id=bindparam("message_id"),
        text=bindparam("text"),
    )
)

_AFTER: Final = Query(
    select(*_COLUMNS)
    .where(col(EntryRow.chat_id) == bindparam("of"), col(EntryRow.position) > bindparam("position"))
    .order_by(col(EntryRow.position))
    .limit(bindparam("limit")),
    _entry,
)

_SAID: Final = Query(
    select(*_COLUMNS).where(
        col(EntryRow.chat_id) == bindparam("of"),
        col(EntryRow.author) == bindparam("by"),
        col(EntryRow.message_id) == bindparam("as_id"),
    ),
    _entry,
)

_TIME: Final = Query(
    select(col(EntryRow.at)).where(
        col(EntryRow.chat_id) == bindparam("of"), col(EntryRow.position) == bindparam("position")
    ),
    _time,
)


class EntryRepository:
    """What has happened in chats."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def add(
        self,
        chat_id: str,
        position: int,
        kind: EntryKind,
        *,
        participant: Participant,
        author: str,
        at: int,
        message_id: str | None = None,
        text: str = "",
    ) -> None:
        """Write what happens at a position.

        Args:
            chat_id: the chat, which has been moved to the position.
            position: the position.
            kind: what happens.
            participant: as what its author takes part.
            author: the subject of who does it.
            at: when, in microseconds since the epoch.
            message_id: the id that the author gives to a message.
            text: what is said.

        Raises:
            InvalidField: the id or the text cannot be stored.
        """
        await self._session.execute(
            _ADD,
            chat_id=chat_id,
            position=position,
            kind=kind.value,
            participant=participant.value,
            author=author,
            at=at,
            message_id=message_id,
            text=text,
        )

    async def after(self, chat_id: str, position: int, limit: int) -> tuple[Entry, ...]:
        """The first entries that come after a position, in order."""
        found = await self._session.fetch_all(_AFTER, of=chat_id, position=position, limit=limit)
        return tuple(found)

    async def said(self, chat_id: str, author: str, message_id: str) -> Entry | None:
        """What somebody has said under an id, or None."""
        return await self._session.fetch_one(_SAID, of=chat_id, by=author, as_id=message_id)

    async def time_of(self, chat_id: str, position: int) -> int | None:
        """When something has happened, in microseconds since the epoch; None when nothing has."""
        return await self._session.fetch_one(_TIME, of=chat_id, position=position)
