"""Answers the shop's people about the dead letters of a service, by `contract.v1.dead_letters`.

One class is the handler of every service's own API: a contract names the methods, their paths and
who may call them, and `service.py` registers this.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from contract.v1.dead_letters import (
    DeadLetter,
    DeadLetterNotFound,
    DeadLetterNotFoundError,
    DropDeadLetterRequest,
    DropDeadLetterResponse,
    ListDeadLettersRequest,
    ListDeadLettersResponse,
    ReplayDeadLetterRequest,
    ReplayDeadLetterResponse,
)

from seam.codec.wellknown import EPOCH
from seam.events.dead_letters import DeadLetters
from seam.events.statements import Parked
from seam.persistence import Database, text_refusal

MAXIMUM_ID_LENGTH: Final = 255
DEFAULT_PAGE_SIZE: Final = 50


class DeadLetterApi:
    """Handler of any service's API of dead letters."""

    def __init__(self, service: str, database: Database) -> None:
        """Look after the dead letters of a service.

        Args:
            service: the service's name.
            database: its database.
        """
        self._letters = DeadLetters(service, database)

    async def list_dead_letters(
        self, request: ListDeadLettersRequest, /
    ) -> ListDeadLettersResponse:
        """One page of the dead letters, those first that came first."""
        size = request.page_size or DEFAULT_PAGE_SIZE
        # One more than asked for tells whether there is a next page.
        found = await self._letters.page(int(request.page_token or "0"), size + 1)
        page = found[:size]
        return ListDeadLettersResponse(
            dead_letters=tuple(_shown(each) for each in page),
            next_page_token=str(page[-1].event.position) if len(found) > size else "",
        )

    async def replay_dead_letter(
        self, request: ReplayDeadLetterRequest, /
    ) -> ReplayDeadLetterResponse:
        """Let a dead letter be tried again.

        Raises:
            DeadLetterNotFoundError: there is none of that identity.
        """
        _check(await self._letters.replay(_sought(request.event_id)), request.event_id)
        return ReplayDeadLetterResponse()

    async def drop_dead_letter(self, request: DropDeadLetterRequest, /) -> DropDeadLetterResponse:
        """Forget a dead letter.

        Raises:
            DeadLetterNotFoundError: there is none of that identity.
        """
        _check(await self._letters.drop(_sought(request.event_id)), request.event_id)
        return DropDeadLetterResponse()


def _sought(event_id: str) -> list[str]:
    """What to look for: what no database holds is no event's identity."""
    if text_refusal(event_id, MAXIMUM_ID_LENGTH):
        raise DeadLetterNotFoundError(DeadLetterNotFound(event_id=event_id))
    return [event_id]


def _check(missing: list[str], event_id: str) -> None:
    if missing:
        raise DeadLetterNotFoundError(DeadLetterNotFound(event_id=event_id))


def _shown(letter: Parked) -> DeadLetter:
    event = letter.event
    return DeadLetter(
        event_id=event.id,
        type=event.type,
        source=letter.owner,
        key=event.key,
        published_at=_time(event.time),
        received_at=None if letter.received is None else _time(letter.received),
        attempts=letter.attempts,
        reason=letter.reason,
    )


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
