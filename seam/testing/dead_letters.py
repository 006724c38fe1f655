"""Dead letters that a test puts into the database of a service, as if its handler had failed."""

from __future__ import annotations

from sqlalchemy import MetaData

from seam.events.event import Event
from seam.events.parking import Failure, parked
from seam.events.policy import DEFAULT_POLICY
from seam.events.statements import statements_of
from seam.persistence import Database, open_database

PUBLISHED = 1_700_000_000_123_456
RECEIVED = PUBLISHED + 1_000_000


async def add_dead_letter(service: str, database: Database, event_id: str, **said: str) -> None:
    """Add a dead letter.

    Args:
        service: the service whose dead letter it is.
        database: its database.
        event_id: the event's identity.
        said: what else is known of it: `owner`, `type`, `key` and `reason`.
    """
    statements = statements_of(service)
    event = Event(
        position=0,
        id=event_id,
        type=said.get("type", "sales.v1.Sold"),
        key=said.get("key", "A"),
        time=PUBLISHED,
        traceparent="",
        data=b"\xff",
    )
    failure = Failure(said.get("reason", "cannot be read"), hopeless=True)
    row = parked(service, said.get("owner", "sales"), event, failure, DEFAULT_POLICY)
    async with database.transaction() as transaction:
        await transaction.execute_many(
            statements.inbox.add, [{"id": event_id, "received": RECEIVED}]
        )
        await transaction.execute_many(statements.parked.add, [row])


async def leave_dead_letter(service: str, url: str, event_id: str) -> None:
    """Add a dead letter to the database of a service that is running, or has run."""
    async with open_database(url, MetaData(schema=service)) as database:
        await add_dead_letter(service, database, event_id)
