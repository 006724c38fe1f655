"""Wakes those who follow a chat when something has happened in it.

A wake-up is a hint: who is woken reads what comes after the position that it has, so that nothing
is lost or told twice whatever becomes of hints. What happens in this process wakes at once. What
happens in another, which works on the same database, is looked for once a second: one statement for
all the chats that are followed here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context
from typing import Final

from seam.contract import StatusError
from seam.persistence import Database
from services.customer_chat.persistence.chats import ChatRepository

log = logging.getLogger(__name__)

INTERVAL: Final = 1.0
"""Seconds between two looks at what others have written."""


class Arrivals:
    """Who follows which chat in this process."""

    def __init__(self, database: Database, *, interval: float = INTERVAL) -> None:
        """Look for what others have written to `database`, every `interval` seconds."""
        self._chats = ChatRepository(database)
        self._interval = interval
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._positions: dict[str, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Wake followers until the block ends."""
        looking = asyncio.create_task(self._look(), context=Context())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    @contextmanager
    def following(self, chat_id: str) -> Iterator[asyncio.Event]:
        """Follow a chat while the block lasts; the event is set whenever there may be news."""
        arrived = asyncio.Event()
        self._followers.setdefault(chat_id, set()).add(arrived)
        try:
            yield arrived
        finally:
            followers = self._followers[chat_id]
            followers.discard(arrived)
            if not followers:
                del self._followers[chat_id]
                self._positions.pop(chat_id, None)

    def wake(self, chat_id: str, position: int) -> None:
        """Wake the followers of a chat, because something has happened at a position."""
        followers = self._followers.get(chat_id)
        if followers and self._positions.get(chat_id, 0) < position:
            self._positions[chat_id] = position
            for arrived in followers:
                arrived.set()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            if not self._followers:
                continue
            try:
                found = await self._chats.positions(tuple(self._followers))
            except StatusError:
                # The log has a line of a database that is away.
                continue
            except Exception:
                log.exception("what other processes have written was looked for in vain")
                continue
            for chat_id, position in found.items():
                self.wake(chat_id, position)
