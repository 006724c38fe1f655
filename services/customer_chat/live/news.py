"""What comes next in a chat, for those who follow it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from seam.persistence import Database
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.persistence.chats import ChatRepository
from services.customer_chat.persistence.entries import EntryRepository
from services.customer_chat.records.api import ChatState, Entry, EntryKind

BATCH: Final = 50
"""Entries that are read at a time."""


class News(NamedTuple):
    """What comes after a position.

    Attributes:
        entries: at most `BATCH` entries.
        is_over: whether nothing will come after them.
    """

    entries: tuple[Entry, ...]
    is_over: bool


async def news(database: Database, chat_id: str, after: int) -> News:
    """Read what comes after a position."""
    entries = await EntryRepository(database).after(chat_id, after, BATCH)
    if entries:
        return News(entries, entries[-1].kind is EntryKind.CLOSED)
    # A client may have seen the end before.
    found = await ChatRepository(database).find(chat_id)
    return News((), found is None or _is_behind(found.chat.state, found.chat.last_position, after))


def _is_behind(state: ChatState, last: int, after: int) -> bool:
    return state is ChatState.CLOSED and last <= after


async def follow(
    database: Database, arrivals: Arrivals, chat_id: str, after: int
) -> AsyncIterator[Entry]:
    """Tell what comes after a position, until the chat is closed."""
    with arrivals.following(chat_id) as arrived:
        while True:
            # What happens while this is read is read next.
            arrived.clear()
            found = await news(database, chat_id, after)
            for entry in found.entries:
                yield entry
                after = entry.position
            if found.is_over:
                return
            if not found.entries:
                await arrived.wait()
