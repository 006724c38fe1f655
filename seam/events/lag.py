"""How far behind the delivery of events is, and what was given up.

Questions cost little, however many events there are: what is counted is counted up to a bound, and
beyond it told by the positions of the first and the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seam.events.event import microseconds
from seam.events.statements import statements_of
from seam.persistence import Database

COUNTED: Final = 10_000
"""Up to how many events are counted; beyond that, their number is an estimate from above."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one service is behind.

    Attributes:
        outbox: events that it has published and that are not delivered.
        oldest: seconds since the first of them was published; 0 when there is none.
        parked: events that it handles later, because they or earlier ones of their key have failed.
        dead: dead letters.
    """

    outbox: int
    oldest: float
    parked: int
    dead: int


async def measure(service: str, database: Database) -> Lag:
    """Ask a service's database how far the service is behind."""
    statements = statements_of(service)
    outbox, parked = statements.outbox, statements.parked
    count = await database.fetch_one(outbox.count, limit=COUNTED + 1) or 0
    oldest = await database.fetch_one(outbox.oldest)
    newest = await database.fetch_one(outbox.newest)
    age = 0.0
    if oldest is not None and newest is not None:
        position, time = oldest
        age = max(0.0, (microseconds() - time) / 1e6)
        if count > COUNTED:
            count = newest - position + 1
    waiting = await database.fetch_one(parked.count, is_dead=False, limit=COUNTED) or 0
    dead = await database.fetch_one(parked.count, is_dead=True, limit=COUNTED) or 0
    return Lag(count, age, waiting, dead)
