"""One service's database: SQLite in a file by default, PostgreSQL by URL.

Each service has a schema of its own. In PostgreSQL it is a schema of the service's name; in
SQLite, which knows no schemas, it is a file of its own. Tables name the schema in their metadata
and repositories never do.

A statement is made once (`statements`), compiled once for each kind of database (`compilation`),
and run by the driver itself: by `sqlite3` on the event loop, as long as it is short (`sqlite`), or
by `asyncpg` (`postgresql`). Rows become records by one plain function. What a driver raises is told
apart here: a database that is away, data that is damaged, a value that its column does not take,
or a defect (`failures`).

A database that is away is no defect of the service: its callers get UNAVAILABLE as soon as that is
known, and the log has a line when it goes and one when it is back (`monitor`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import Connection, MetaData, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from seam.contract import Code, InvalidArgumentError, InvalidField, StatusError
from seam.outages import Outage
from seam.persistence.backend import Backend
from seam.persistence.failures import DriverError, Failure, FailureError, defect, failure_of
from seam.persistence.monitor import Monitor
from seam.persistence.postgresql_pool import DEFAULT_POOL, PoolLimits
from seam.persistence.sqlite import SqliteBackend
from seam.persistence.statements import Command, Query
from seam.persistence.tables import MisfitError, prepare_tables
from seam.persistence.transaction import REPORTED, Transaction, only

if TYPE_CHECKING:
    from seam.persistence.postgresql import PostgresBackend

R = TypeVar("R")


_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": frozenset(),
    "postgresql": frozenset(
        {
            *("host", "port", "user", "password", "passfile", "application_name"),
            *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"),
            *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
        }
    ),
}
"""What may follow the `?` of a URL, as libpq names it."""


class CannotOpenDatabaseError(Exception):
    """A service's database cannot be reached or prepared; the text names it and says why."""


class NestedTransactionError(RuntimeError):
    """A task writes beside a transaction that it is in the middle of.

    On SQLite it would wait for itself; on PostgreSQL it would take a second connection, and keep
    what it wrote there when the transaction is undone.
    """

    def __init__(self, service: str) -> None:
        """Say what to do instead."""
        super().__init__(
            f"this task is in a transaction on the database of {service} already: run the statement"
            " in that transaction; what is to be undone alone goes into its savepoint()"
        )


class Database:
    """Statements and transactions on the database of one service.

    What fails because the database is away or damaged is a `StatusError`, UNAVAILABLE or DATA_LOSS,
    that names the service alone. A value that its column does not take is INVALID_ARGUMENT. Other
    errors of the database are defects, an `IntegrityError` of SQLAlchemy where a constraint is
    broken, without the data that they tell.

    Attributes:
        service: the name of the service whose database it is.
    """

    def __init__(self, service: str, backend: Backend, monitor: Monitor) -> None:
        """Run statements on `backend`.

        Args:
            service: the service's name, for callers and for the log.
            backend: the database.
            monitor: says whether it is there.
        """
        self.service = service
        self._backend = backend
        self._monitor = monitor
        self._holders: set[asyncio.Task[object] | None] = set()
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

    async def fetch_all(self, query: Query[R], /, **parameters: object) -> list[R]:
        """What a query gives, of what is committed now.

        Raises:
            NestedTransactionError: it writes, and the task is in the block of a transaction.
        """
        if query.writes:
            self._check_not_nested()
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        try:
            found = await self._backend.fetch(query, parameters)
        except REPORTED as error:
            raise await self._report(error, self._reads) from None
        if self._reads.away:
            self._reads.answered()
        return found

    async def fetch_one(self, query: Query[R], /, **parameters: object) -> R | None:
        """The only row that a query gives, or None, of what is committed now."""
        return only(await self.fetch_all(query, **parameters))

    async def execute(self, command: Command, /, **parameters: object) -> int:
        """Run a command in a transaction of its own, and tell how many rows it has changed.

        Raises:
            NestedTransactionError: the task is in the block of a transaction.
        """
        self._check_not_nested()
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        try:
            count = await self._backend.execute(command, parameters)
        except REPORTED as error:
            raise await self._report(error, self._writes) from None
        if self._writes.away:
            self._writes.answered()
        return count

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]], /) -> None:
        """Run a command once for each of `rows`, in one transaction.

        Raises:
            NestedTransactionError: the task is in the block of a transaction.
        """
        self._check_not_nested()
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        if not rows:
            return
        try:
            await self._backend.execute_many(command, rows)
        except REPORTED as error:
            raise await self._report(error, self._writes) from None
        if self._writes.away:
            self._writes.answered()

    @asynccontextmanager
    async def transaction(self, *, alone: bool = False) -> AsyncIterator[Transaction]:
        """Statements that are committed when the block ends, and undone when it raises.

        Args:
            alone: let no other transaction wait for this one's commit, since it takes long.

        Raises:
            NestedTransactionError: the task is in the block of another one already.
        """
        self._check_not_nested()
        if self._monitor.failure is not None:
            raise self._status(self._monitor.failure)
        backend = self._backend
        try:
            work = await backend.begin(alone=alone)
        except REPORTED as error:
            raise await self._report(error, self._writes) from None
        holder = asyncio.current_task()
        self._holders.add(holder)
        try:
            yield Transaction(self.service, work, self._report_work)
            self._holders.discard(holder)
            try:
                await backend.commit(work)
            except REPORTED as error:
                raise await self._report(error, self._writes) from None
        finally:
            self._holders.discard(holder)
            try:
                await backend.rollback(work)
            except REPORTED as error:
                raise await self._report(error, self._writes) from None
        if self._writes.away:
            self._writes.answered()

    def _check_not_nested(self) -> None:
        if self._holders and asyncio.current_task() in self._holders:
            raise NestedTransactionError(self.service)

    async def _report_work(self, error: Exception) -> Exception:
        return await self._report(error, self._writes)

    async def _report(self, error: Exception, outage: Outage) -> Exception:
        """What callers are told of an error, after the log was told."""
        if isinstance(error, InvalidField):
            return InvalidArgumentError(error)
        failure = failure_of(error)
        if failure is None:
            return defect(error) if isinstance(error, DriverError) else error
        if failure.code is Code.DATA_LOSS:
            self._damage.failed(failure.detail)
        elif self.available and await self._monitor.check() is None:
            # It answers, and yet it does not do what it was asked for.
            outage.failed(failure.detail)
        return self._status(failure)

    def _status(self, failure: Failure) -> StatusError:
        if failure.code is Code.DATA_LOSS:
            return StatusError(failure.code, f"{self.service} cannot read its data")
        return StatusError(failure.code, f"{self.service} is not available")


@asynccontextmanager
async def open_database(
    url: str,
    metadata: MetaData,
    prepare: Callable[[Connection], None] | None = None,
    *,
    pool: PoolLimits = DEFAULT_POOL,
) -> AsyncIterator[Database]:
    """Open a service's database.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        metadata: the service's tables; its `schema` is the service's name.
        prepare: checks what the database holds. Without it, as in tests, the tables that it lacks
            are created; no revision is written down then, so see `open_migrated`.
        pool: how much of a server it takes; of no account for a file.

    Raises:
        ValueError: the URL is none of these.
        CannotOpenDatabaseError: the database cannot be reached or prepared, or holds other tables.
    """
    location = database_url(url)
    service = metadata.schema or "the service"
    check = prepare or partial(prepare_tables, metadata=metadata)
    backend: SqliteBackend | PostgresBackend
    if location.drivername == "sqlite":
        backend = SqliteBackend(location, metadata, check)
    else:
        # Its driver takes its time to be imported, and processes with files alone do without it.
        from seam.persistence.postgresql import PostgresBackend  # noqa: PLC0415

        backend = PostgresBackend(location, metadata, check, pool)
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
    except (OSError, SQLAlchemyError, DriverError, FailureError, MisfitError) as error:
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
    """Check a database URL.

    Raises:
        ValueError: it is no URL, or of a database that is not supported, or has a parameter that is
            not known.
    """
    expected = "expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    try:
        location = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"'{url}' is not a database URL; {expected}") from None
    known = _PARAMETERS.get(location.drivername)
    if known is None:
        raise ValueError(f"'{location.drivername}' is not a supported database; {expected}")
    if location.drivername == "sqlite" and location.database in {None, "", ":memory:"}:
        raise ValueError(f"'{url}' names no file; {expected}")
    unknown = sorted(location.query.keys() - known)
    if unknown:
        raise ValueError(
            f"a {location.drivername} URL has no parameter '{unknown[0]}'; "
            f"expected {', '.join(sorted(known)) or 'none'}"
        )
    return location
