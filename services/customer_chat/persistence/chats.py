"""Reads and writes chats.

Whatever happens in a chat begins by moving its row: that gives the position, and nobody else has
the row before the transaction ends. So positions have no gap, and become visible in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session, one_of
from services.customer_chat.persistence.tables import ChatRow, EntryRow
from services.customer_chat.records.api import Chat, ChatState

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class OwnedChat(NamedTuple):
    """A chat, and the subject of the customer who has opened it."""

    chat: Chat
    owner: str


def time_of(microseconds: int) -> datetime:
    """A time since the epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _owned(chat_id: str, owner: str, state: int, opened_at: int, last_position: int) -> OwnedChat:
    chat = Chat(
        chat_id=chat_id,
        state=ChatState(state),
        opened_at=time_of(opened_at),
        last_position=last_position,
    )
    return OwnedChat(chat, owner)


def _position(position: int) -> int:
    return position


def _named_position(chat_id: str, position: int) -> tuple[str, int]:
    return chat_id, position


_COLUMNS: Final = (
    col(ChatRow.chat_id),
    col(ChatRow.owner),
    col(ChatRow.state),
    col(ChatRow.opened_at),
    col(ChatRow.last_position),
)

_ADD: Final = Command(
    insert(ChatRow).values(
        chat_id=bindparam("chat_id"),
        owner=bindparam("owner"),
        state=ChatState.WAITING.value,
        opened_at=bindparam("opened_at"),
        last_position=0,
    )
)

_FIND: Final = Query(select(*_COLUMNS).where(col(ChatRow.chat_id) == bindparam("of")), _owned)

_WAITING: Final = Query(
    select(*_COLUMNS)
    .where(
        col(ChatRow.state) == ChatState.WAITING.value,
        col(ChatRow.chat_id) > bindparam("after"),
    )
    .order_by(col(ChatRow.chat_id))
    .limit(bindparam("limit")),
    _owned,
)

_POSITIONS: Final = Query(
    select(col(ChatRow.chat_id), col(ChatRow.last_position)).where(
        one_of(col(ChatRow.chat_id), "chat_ids")
    ),
    _named_position,
)


def _moving(*states: ChatState, to: ChatState | None = None) -> Query[int]:
    """A statement that moves a chat on which is in one of some states, and gives the position."""
    changes = {} if to is None else {"state": to.value}
    return Query(
        update(ChatRow)
        .where(
            col(ChatRow.chat_id) == bindparam("of"),
            col(ChatRow.state).in_([state.value for state in states]),
        )
        .values(last_position=ChatRow.last_position + 1, **changes)
        .returning(col(ChatRow.last_position)),
        _position,
    )


_ADVANCE: Final = _moving(ChatState.WAITING, ChatState.JOINED)
_JOIN: Final = _moving(ChatState.WAITING, to=ChatState.JOINED)
_CLOSE: Final = _moving(ChatState.WAITING, ChatState.JOINED, to=ChatState.CLOSED)

_REMOVE_ENTRIES: Final = Command(
    delete(EntryRow).where(
        col(EntryRow.chat_id).in_(
            select(col(ChatRow.chat_id)).where(col(ChatRow.owner) == bindparam("whose"))
        )
    )
)

_REMOVE: Final = Command(delete(ChatRow).where(col(ChatRow.owner) == bindparam("whose")))


class ChatRepository:
    """Chats, without what has happened in them."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def add(self, chat_id: str, owner: str, opened_at: int) -> Chat:
        """Write a new chat, which waits.

        Args:
            chat_id: its identity.
            owner: the subject of the customer who opens it.
            opened_at: when, in microseconds since the epoch.
        """
        await self._session.execute(_ADD, chat_id=chat_id, owner=owner, opened_at=opened_at)
        return _owned(chat_id, owner, ChatState.WAITING.value, opened_at, 0).chat

    async def find(self, chat_id: str) -> OwnedChat | None:
        """A chat, or None."""
        return await self._session.fetch_one(_FIND, of=chat_id)

    async def waiting(self, after: str, limit: int) -> tuple[Chat, ...]:
        """The chats that wait longest of those that come after a chat."""
        found = await self._session.fetch_all(_WAITING, after=after, limit=limit)
        return tuple(each.chat for each in found)

    async def positions(self, chat_ids: Sequence[str]) -> dict[str, int]:
        """The last positions of chats."""
        return dict(await self._session.fetch_all(_POSITIONS, chat_ids=list(chat_ids)))

    async def advance(self, chat_id: str) -> int | None:
        """Give the position of what happens next; None in a chat that is closed."""
        return await self._session.fetch_one(_ADVANCE, of=chat_id)

    async def join(self, chat_id: str) -> int | None:
        """Let a chat wait no longer; None when it does not wait."""
        return await self._session.fetch_one(_JOIN, of=chat_id)

    async def close(self, chat_id: str) -> int | None:
        """Close a chat; None when it is closed."""
        return await self._session.fetch_one(_CLOSE, of=chat_id)

    async def remove_all_of(self, owner: str) -> None:
        """Delete the chats of a customer, and what has happened in them."""
        await self._session.execute(_REMOVE_ENTRIES, whose=owner)
        await self._session.execute(_REMOVE, whose=owner)
