"""One service's database: SQLite in a file by default, PostgreSQL by URL.

Each service has a schema of its own. In PostgreSQL it is a schema of the service's name; in
SQLite, which knows no schemas, it is a file of its own. Tables name the schema in their metadata
and repositories never do.

A database that is away is no defect of the service: its callers get UNAVAILABLE as soon as that is
known, and the log has a line when it goes and one when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, MetaData, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from seam.contract import Code, InvalidArgumentError, StatusError
from seam.outages import Outage
from seam.persistence.failures import (
    Failure,
    FailureError,
    failure_of,
    invalid_field,
    unavailable,
    without_data,
)
from seam.persistence.monitor import Backend, Monitor
from seam.persistence.postgresql import PostgresBackend
from seam.persistence.sqlite import READ, SqliteBackend
from seam.persistence.statements import Command, Query
from seam.persistence.tables import MisfitError, prepare_tables
from seam.persistence.transaction import Transaction

R = TypeVar("R")

WRITER_TIMEOUT: Final = 2.0
"""Seconds that a transaction on SQLite waits for others of the same process."""

_AUTOCOMMIT: Final = {"isolation_level": "AUTOCOMMIT"}

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
}


class CannotOpenDatabaseError(Exception):
    """A service's database cannot be reached or prepared; the text names it and says why."""


class Database:
    """Sessions on the database of one service.

    What fails in a session because the database is away or damaged is a `StatusError`, UNAVAILABLE
    or DATA_LOSS, that names the service alone. A value that its column does not take is
    INVALID_ARGUMENT. Other errors of the database are defects and pass as they are, without the
    data that they tell.
    """

    def __init__(self, service: str, backend: Backend, monitor: Monitor) -> None:
        """Make sessions on `backend`.

        Args:
            service: the service's name, for callers and for the log.
            backend: the database.
            monitor: says whether it is there.
        """
        sqlite = backend.engine.dialect.name == "sqlite"
        self._service = service
        self._backend = backend
        self._monitor = monitor
        self._reading = backend.engine.execution_options(**(READ if sqlite else _AUTOCOMMIT))
        self._writing = backend.engine
        # SQLite has one writer at a time: waiting here is fair and costs no thread.
        self._writer = asyncio.Lock() if sqlite else None
        self._reads = Outage(f"reading from the database of {service}")
        self._writes = Outage(f"writing to the database of {service}")
        self._damage = Outage(f"the data of {service}")

    @property
    def available(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self._monitor.failure is None

    async def problem(self) -> str | None:
        """Ask the database whether it is there.

        Returns:
            Why it is not, without addresses; None when it is.
        """
        failure = await self._monitor.check()
        return None if failure is None else failure.summary

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading: every statement sees what is committed when it starts."""
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        try:
            async with AsyncSession(self._reading, expire_on_commit=False) as session:
                yield session
        except (SQLAlchemyError, FailureError) as error:
            raise await self._outward(error, self._reads) from None
        if self._reads.away:
            self._reads.answered()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A session whose work is committed when the block ends, and undone when it raises."""
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        try:
            async with AsyncExitStack() as stack:
                if self._writer is not None:
                    await _acquire(self._writer)
                    stack.callback(self._writer.release)
                missing = self._backend.missing()
                if missing is not None:
                    raise FailureError(missing)
                session = await stack.enter_async_context(
                    AsyncSession(self._writing, expire_on_commit=False)
                )
                async with session.begin():
                    transaction = Transaction(session)
                    yield transaction
        except (SQLAlchemyError, FailureError) as error:
            raise await self._outward(error, self._writes) from None
        if self._writes.away:
            self._writes.answered()
        for callback in transaction.committed:
            callback()

    async def fetch_all(self, query: Query[R], /, **parameters: object) -> list[R]:
        """What a query gives, of what is committed now."""
        async with self.read() as session:
            return await Transaction(session).fetch_all(query, **parameters)

    async def fetch_one(self, query: Query[R], /, **parameters: object) -> R | None:
        """The only row that a query gives, or None, of what is committed now."""
        async with self.read() as session:
            return await Transaction(session).fetch_one(query, **parameters)

    async def execute(self, command: Command, /, **parameters: object) -> int:
        """Run a command in a transaction of its own, and tell how many rows it has changed."""
        async with self.transaction() as transaction:
            return await transaction.execute(command, **parameters)

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]], /) -> None:
        """Run a command once for each of `rows`, in one transaction."""
        async with self.transaction() as transaction:
            await transaction.execute_many(command, rows)

    async def _outward(self, error: Exception, outage: Outage) -> Exception:
        """What callers are told of an error, after the log was told."""
        failure = failure_of(error)
        if failure is None:
            refused = invalid_field(error)
            if refused is not None:
                return InvalidArgumentError(refused)
            without_data(error)
            return error
        if failure.code is Code.DATA_LOSS:
            self._damage.failed(failure.detail)
        elif self.available and await self._monitor.check() is None:
            # It answers, and yet it does not do what it was asked for.
            outage.failed(failure.detail)
        return self._status(failure)

    def _status(self, failure: Failure) -> StatusError:
        if failure.code is Code.DATA_LOSS:
            return StatusError(failure.code, f"{self._service} cannot read its data")
        return StatusError(failure.code, f"{self._service} is not available")


async def _acquire(writer: asyncio.Lock) -> None:
    try:
        async with asyncio.timeout(WRITER_TIMEOUT):
            await writer.acquire()
    except TimeoutError:
        raise unavailable("other transactions take too long", "is locked") from None


@asynccontextmanager
async def open_database(
    url: str, metadata: MetaData, prepare: Callable[[Connection], None] | None = None
) -> AsyncIterator[Database]:
    """Open a service's database.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        metadata: the service's tables; its `schema` is the service's name.
        prepare: checks what the database holds. Without it, as in tests, the tables that it lacks
            are created; no revision is written down then, so see `open_migrated`.

    Raises:
        ValueError: the URL is none of these.
        CannotOpenDatabaseError: the database cannot be reached or prepared, or holds other tables.
    """
    location = database_url(url)
    service = metadata.schema or "the service"
    sqlite = location.drivername == _DRIVERS["sqlite"]
    backend = (SqliteBackend if sqlite else PostgresBackend)(
        location, metadata, prepare or partial(prepare_tables, metadata=metadata)
    )
    try:
        await _prepare(backend, location)
        monitor = Monitor(f"the database of {service}", backend)
        async with monitor.watching():
            yield Database(service, backend, monitor)
    finally:
        await backend.close()


async def _prepare(backend: SqliteBackend | PostgresBackend, location: URL) -> None:
    try:
        await backend.prepare()
    except (OSError, SQLAlchemyError, FailureError, MisfitError) as error:
        failure = failure_of(error)
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = failure.detail if failure else str(cause).partition("\n")[0]
        raise CannotOpenDatabaseError(
            f"cannot open the database {_shown(location)}: {reason}; "
            f"{_advice(error, failure, sqlite=isinstance(backend, SqliteBackend))}"
        ) from None


def _advice(error: Exception, failure: Failure | None, *, sqlite: bool) -> str:
    anew = "move it away, with its -wal and -shm files, to begin with an empty one"
    if isinstance(error, MisfitError):
        other = "it was made by another version, or for something else: name another one"
        return f"{other} (--data or --database), or {anew}" if sqlite else f"{other} (--database)"
    if failure is not None and failure.code is Code.DATA_LOSS:
        return f"restore it from a backup, or {anew}" if sqlite else "restore it from a backup"
    if sqlite:
        return "check that the path is right and that this user may write there"
    return "check that it runs, and that the URL (--database) is right"


def shown_url(url: str) -> str:
    """A database's URL as it may be logged: without passwords, wherever they stand in it.

    Raises:
        ValueError: it is no URL, or of a database that is not supported.
    """
    return _shown(database_url(url))


def _shown(location: URL) -> str:
    kept = {key: value for key, value in location.query.items() if key in {"host", "port"}}
    backend = location.set(drivername=location.get_backend_name(), query=kept)
    return backend.render_as_string(hide_password=True)


def database_url(url: str) -> URL:
    """Check a database URL and name the driver in it.

    Raises:
        ValueError: it is no URL, or of a database that is not supported.
    """
    expected = "expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    try:
        location = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"'{url}' is not a database URL; {expected}") from None
    driver = _DRIVERS.get(location.drivername)
    if driver is None:
        raise ValueError(f"'{location.drivername}' is not a supported database; {expected}")
    if driver == _DRIVERS["sqlite"] and location.database in {None, "", ":memory:"}:
        raise ValueError(f"'{url}' names no file; {expected}")
    return location.set(drivername=driver)
