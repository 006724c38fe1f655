"""Commands that look after events: how far delivery is behind, and dead letters."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from seam.contract import StatusError
from seam.events.dead_letters import DeadLetters
from seam.events.failures import BrokerAwayError
from seam.events.lag import Lag, measure
from seam.events.statements import Parked
from seam.persistence import Database, open_database
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Artifact, Settings, database_location

if TYPE_CHECKING:
    from seam.events.broker import Broker

MAXIMUM_PAGE: Final = 1_000

BROKER_PATIENCE: Final = 5.0
"""Seconds that a broker has to let a command connect."""


class WithoutEventsError(SettingsError):
    """A service has no tables of events."""


Json = Annotated[bool, Parameter(name="--json", negative=())]


def add_event_commands(app: App, artifact: Artifact) -> None:
    """Add `events` to the commands of an artifact."""
    events = App(name="events", help="Look after events.", version_flags=[])
    dead = App(name="dead", help="Look after dead letters.", version_flags=[])
    events.command(dead)
    app.command(events)

    @events.command
    async def lag(
        *,
        as_json: Json = False,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Show how far the delivery of events is behind, for each service.

        What it has not read of others' streams is asked of the broker, if the topology names one;
        when the broker does not answer, the exit code is 1.

        Args:
            as_json: write one JSON object a line.
            settings: where the system's parts are.
        """
        url = artifact.topology(settings).broker
        whole = True
        async with _broker(url) as broker:
            for service in (each.name for each in artifact.services):
                try:
                    async with _database(artifact, service, settings) as database:
                        figures = await measure(service, database)
                        unread = await _unread(broker, service, database)
                except WithoutEventsError:
                    continue
                if as_json:
                    _print_json({"service": service, **asdict(figures), "unread": unread})
                else:
                    print(f"{service}: {_told(figures, unread)}")
                whole = whole and unread is not None
        return 0 if whole else 1

    @dead.command(name="list")
    async def list_dead(
        service: str,
        /,
        *,
        after: int = 0,
        limit: int = 50,
        as_json: Json = False,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """List the dead letters of a service, oldest first: number, id, type, key, reason.

        Args:
            service: the service whose handler has failed.
            after: only those with a larger number, as the last line of the page before has it.
            limit: the most to list.
            as_json: write one JSON object a line.
            settings: where the system's parts are.
        """
        if not 1 <= limit <= MAXIMUM_PAGE:
            raise SettingsError(f"--limit {limit}: expected 1 to {MAXIMUM_PAGE}")
        async with _database(artifact, service, settings) as database:
            for each in await DeadLetters(service, database).page(after, limit):
                if as_json:
                    _print_json(_shown(each))
                else:
                    event = each.event
                    print(f"{event.position}  {event.id}  {event.type}  {event.key}  {each.reason}")
        return 0

    @dead.command
    async def show(
        service: str,
        id: str,  # noqa: A002
        /,
        *,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Show all that is known of a dead letter, as JSON; its message as hexadecimal digits.

        Args:
            service: the service whose handler has failed.
            id: the event's id.
            settings: where the system's parts are.
        """
        async with _database(artifact, service, settings) as database:
            found = await DeadLetters(service, database).find(id)
        if found is None:
            print(f"{service} has no dead letter {id}", file=sys.stderr)
            return 1
        _print_json(_shown(found) | {"data": found.event.data.hex()}, indent=2)
        return 0

    @dead.command
    async def replay(
        service: str,
        ids: Annotated[tuple[str, ...], Parameter(negative=())],
        /,
        *,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Let dead letters be tried again, as if for the first time.

        Args:
            service: the service whose handler has failed.
            ids: the events' ids.
            settings: where the system's parts are.
        """
        async with _database(artifact, service, settings) as database:
            missing = await DeadLetters(service, database).replay(ids)
        return _report(service, ids, missing, "will be tried again")

    @dead.command
    async def drop(
        service: str,
        ids: Annotated[tuple[str, ...], Parameter(negative=())],
        /,
        *,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Forget dead letters: they never have an effect.

        Args:
            service: the service whose handler has failed.
            ids: the events' ids.
            settings: where the system's parts are.
        """
        async with _database(artifact, service, settings) as database:
            missing = await DeadLetters(service, database).drop(ids)
        return _report(service, ids, missing, "dropped")


@asynccontextmanager
async def _database(
    artifact: Artifact, service: str, settings: Settings
) -> AsyncIterator[Database]:
    """The database of a service, as it is: no table is made or checked.

    Raises:
        SettingsError: there is no such service, or its database is away or has no tables of events.
    """
    known = [each.name for each in artifact.services]
    if service not in known:
        raise SettingsError(f"unknown service '{service}'; expected {', '.join(known)}")
    location = database_location(settings, service)
    try:
        async with open_database(location.url, MetaData(schema=service)) as database:
            yield database
    except StatusError as error:
        raise SettingsError(error.message) from None
    except DBAPIError:
        raise WithoutEventsError(
            f"the database of '{service}' has no tables of events: it does not publish or "
            "subscribe, or has not been migrated"
        ) from None


@asynccontextmanager
async def _broker(url: str | None) -> AsyncIterator[Broker | None]:
    """The broker at `url`, to which there may be no connection."""
    if url is None:
        yield None
        return
    # The client of NATS is for topologies that have a broker.
    from seam.events.broker import Broker  # noqa: PLC0415

    broker = Broker(url)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(BROKER_PATIENCE):
                await broker.connect()
        yield broker
    finally:
        await broker.close()


async def _unread(broker: Broker | None, service: str, database: Database) -> dict[str, int] | None:
    """What a service has not read of others' streams; None when the broker does not say."""
    if broker is None:
        return {}
    from seam.events.unread import unread_by_owner  # noqa: PLC0415

    try:
        return await unread_by_owner(broker, service, database)
    except BrokerAwayError:
        return None


def _told(figures: Lag, unread: dict[str, int] | None) -> str:
    said = [
        f"{figures.outbox} events in the outbox, the oldest {figures.oldest:.0f} s old",
        f"{figures.parked} parked",
        f"{figures.dead} dead letters",
    ]
    if unread is None:
        said.append("the broker does not say what is unread")
    else:
        said += [f"{count} of {owner} unread" for owner, count in unread.items()]
    return "; ".join(said)


def _report(service: str, ids: Sequence[str], missing: Sequence[str], done: str) -> int:
    for each in ids:
        if each in missing:
            print(f"{service} has no dead letter {each}", file=sys.stderr)
        else:
            print(f"{each} {done}")
    return 1 if missing else 0


def _shown(parked: Parked) -> dict[str, object]:
    event = parked.event
    return {
        "number": event.position,
        "id": event.id,
        "type": event.type,
        "key": event.key,
        "time": datetime.fromtimestamp(event.time / 1e6, UTC).isoformat(),
        "traceparent": event.traceparent,
        "attempts": parked.attempts,
        "reason": parked.reason,
        "dead": parked.dead,
    }


def _print_json(value: dict[str, object], indent: int | None = None) -> None:
    print(json.dumps(value, indent=indent, ensure_ascii=False))
