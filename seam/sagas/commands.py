"""Commands that show the sagas of a service, for those who look after it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number
from sqlalchemy import MetaData

from seam.contract import StatusError
from seam.persistence import open_database
from seam.runtime import Settings, database_location
from seam.sagas.storage import Happening, SagaRecord, SagaStorage, read
from seam.sagas.tables import SagaTables

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

EXIT_NOT_FOUND: Final = 1


def saga_commands(service: str, metadata: MetaData, tables: SagaTables) -> App:
    """Make the command `sagas` of a service.

    Args:
        service: the service's name.
        metadata: its tables.
        tables: those of its sagas.
    """
    sagas = App(name="sagas", help="Show work that spans services.", version_flags=[])
    storage = SagaStorage(tables)

    @sagas.command(name="list")
    async def list_sagas(
        *,
        ended: bool = False,
        most: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 100,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """List the sagas that go on, the newest first: when they began, and how far they are.

        Args:
            ended: list those that have ended as well.
            most: how many to list.
            settings: where the system's parts are.
        """
        try:
            async with open_database(
                database_location(settings, service).url, metadata
            ) as database:
                found = await storage.newest(database, most, ended=ended)
        except StatusError as error:
            print(error.message, file=sys.stderr)
            return EXIT_NOT_FOUND
        for record in found:
            print(_line(record))
        return 0

    @sagas.command
    async def show(
        saga_id: str,
        /,
        *,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Show one saga and what has happened to it.

        Args:
            saga_id: its identity, which `list` shows.
            settings: where the system's parts are.
        """
        try:
            async with open_database(
                database_location(settings, service).url, metadata
            ) as database:
                record = await storage.find(database, saga_id)
                history = await storage.history(database, saga_id)
        except StatusError as error:
            print(error.message, file=sys.stderr)
            return EXIT_NOT_FOUND
        if record is None:
            print(
                f"there is no saga '{saga_id}'; `sagas list` shows those that go on",
                file=sys.stderr,
            )
            return EXIT_NOT_FOUND
        print(_line(record))
        if record.reason is not None:
            reason = read(record.reason)
            print(f"undone because: {reason.kind} {reason.detail}".rstrip())
        for happening in history:
            print(_told(happening))
        return 0

    return sagas


def _line(record: SagaRecord) -> str:
    where = f"at '{record.step}'" if record.state in {"running", "compensating"} else ""
    failures = f"after {record.attempts} failures" if record.attempts else ""
    parts = (_time(record.started_at), record.id, record.name, record.state, where, failures)
    return "  ".join(filter(None, parts))


def _told(happening: Happening) -> str:
    parts = (_time(happening.at), happening.step, happening.event, happening.detail)
    return "  ".join(filter(None, parts))


def _time(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="milliseconds")
