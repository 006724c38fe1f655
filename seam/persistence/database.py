"""One service's database: SQLite in a file by default, PostgreSQL by URL.

Each service has a schema of its own. In PostgreSQL it is a schema of the service's name; in
SQLite, which knows no schemas, it is a file of its own. Tables name the schema in their metadata
and repositories never do.

A SQLite transaction takes the write lock when it begins. Taking it at the first write, as SQLite
does by default, fails at once if another connection has written since the transaction's first
read, however long one is willing to wait.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from sqlalchemy import Connection, MetaData, event, make_url, text
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.schema import CreateSchema

SQLITE_BUSY_TIMEOUT_MS: Final = 10_000
"""How long a SQLite statement waits for another process's write lock."""

_AUTOCOMMIT: Final = {"isolation_level": "AUTOCOMMIT"}
_SQLITE_READ: Final = {"sqlite_read": True}

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
}


class CannotOpenDatabaseError(Exception):
    """A service's database cannot be reached or prepared; the text names it and says why."""


class Database:
    """Sessions on the database of one service."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use `engine`, which the caller disposes of."""
        sqlite = engine.dialect.name == "sqlite"
        self._reading = engine.execution_options(**(_SQLITE_READ if sqlite else _AUTOCOMMIT))
        self._writing = engine
        # SQLite has one writer at a time: waiting here is fair and costs no thread.
        self._writer = asyncio.Lock() if sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading: every statement sees what is committed when it starts."""
        async with AsyncSession(self._reading, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed when the block ends, and undone when it raises."""
        async with AsyncExitStack() as stack:
            if self._writer is not None:
                await stack.enter_async_context(self._writer)
            session = await stack.enter_async_context(
                AsyncSession(self._writing, expire_on_commit=False)
            )
            async with session.begin():
                yield session


@asynccontextmanager
async def open_database(url: str, metadata: MetaData) -> AsyncIterator[Database]:
    """Open a service's database and create the tables that it lacks.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        metadata: the service's tables; its `schema` is the service's name.

    Raises:
        ValueError: the URL is none of these.
        CannotOpenDatabaseError: the database cannot be reached or prepared.
    """
    location = database_url(url)
    engine = create_async_engine(location)
    if engine.dialect.name == "sqlite":
        engine = engine.execution_options(schema_translate_map={metadata.schema: None})
        _prepare_sqlite(engine)
    try:
        await _prepare(engine, metadata)
        yield Database(engine)
    finally:
        await engine.dispose()


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


async def _prepare(engine: AsyncEngine, metadata: MetaData) -> None:
    try:
        if engine.dialect.name == "sqlite" and engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        async with engine.begin() as connection:
            await connection.run_sync(_create, metadata)
    except (OSError, SQLAlchemyError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise CannotOpenDatabaseError(
            f"cannot open the database {engine.url.render_as_string()}: {cause}"
        ) from error


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: AsyncAdapt_aiosqlite_connection, _: object) -> None:
        # The driver must not begin transactions by itself: `begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        _switch_to_wal(connection, cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if "sqlite_read" not in connection.get_execution_options():
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _switch_to_wal(
    connection: AsyncAdapt_aiosqlite_connection, cursor: AsyncAdapt_dbapi_cursor
) -> None:
    """Let readers and the writer of a database not wait for each other.

    The file remembers it. When two processes make it at the same time, SQLite gives one of them
    the lock, and fails the other at once instead of letting it wait.
    """
    deadline = monotonic() + SQLITE_BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            connection.run_async(lambda _: asyncio.sleep(0.005))
        else:
            return


def _create(connection: Connection, metadata: MetaData) -> None:
    if connection.dialect.name == "postgresql":
        # Two processes may start at once; the second finds everything there.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": metadata.schema}
        )
        if metadata.schema is not None:
            connection.execute(CreateSchema(metadata.schema, if_not_exists=True))
    metadata.create_all(connection)
