"""Dead letters of one service: events that nobody tries again until a person says so."""

from __future__ import annotations

from collections.abc import Sequence

from seam.events.event import microseconds
from seam.events.statements import Parked, statements_of
from seam.persistence import Database


class DeadLetters:
    """The dead letters of one service."""

    def __init__(self, service: str, database: Database) -> None:
        """Look into the database of a service."""
        self._database = database
        self._parked = statements_of(service).parked

    async def page(self, after: int, size: int) -> list[Parked]:
        """Some of them, oldest first.

        Args:
            after: only those whose position is beyond this one; 0 for the first page.
            size: the most to give.
        """
        return await self._database.fetch_all(self._parked.dead, after=after, limit=size)

    async def find(self, event_id: str) -> Parked | None:
        """The parked event with an id, dead or not."""
        return await self._database.fetch_one(self._parked.find, event=event_id)

    async def replay(self, event_ids: Sequence[str]) -> list[str]:
        """Let events be tried again, as if for the first time.

        Until they succeed or are dead again, later events of their keys wait behind them.

        Returns:
            The ids of those that are no dead letters.
        """
        async with self._database.transaction() as transaction:
            return [
                each
                for each in event_ids
                if await transaction.execute(self._parked.replay, event=each, now=microseconds())
                != 1
            ]

    async def drop(self, event_ids: Sequence[str]) -> list[str]:
        """Forget events, which then never have an effect.

        Returns:
            The ids of those that are no dead letters.
        """
        async with self._database.transaction() as transaction:
            return [
                each
                for each in event_ids
                if await transaction.execute(self._parked.drop, event=each) != 1
            ]
