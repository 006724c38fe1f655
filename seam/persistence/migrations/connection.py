"""Transactions that change the tables of one service: synchronous, and one at a time everywhere.

A transaction holds a lock that others who want to migrate the same tables wait for. The lock ends
with the transaction, in whatever way that ends, `kill -9` included; what was done until then is
undone by the database, since both kinds can undo changes of tables.

Tables have no schema here. In PostgreSQL the search path leads to the service's schema, and to
nothing else; in SQLite the file is the schema.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote_from_bytes

import asyncpg
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateSchema

from seam.persistence.database import CannotOpenDatabaseError, database_url, shown_url
from seam.persistence.migrations.revisions import MigrationError

T = TypeVar("T")

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect."""

LOCK_TIMEOUT: Final = 10.0
"""Seconds that a change of a table waits for statements of others, which wait behind it then."""

OTHERS_TIMEOUT: Final = 3_600.0
"""Seconds to wait for another process that migrates the same tables."""

_INSUFFICIENT_PRIVILEGE: Final = "42501"


def run_in_transaction(url: str, service: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction that is committed when it returns, and undone when it raises.

    Call it in a thread that no event loop runs in.

    Args:
        url: the service's database, see `seam.persistence.open_database`.
        service: the service's name, which is that of its schema.
        work: is given a connection for as long as it runs.

    Raises:
        ValueError: the URL is none of a database.
        CannotOpenDatabaseError: the database cannot be reached.
        MigrationError: the schema is missing and may not be created.
    """
    location = database_url(url)
    if location.get_backend_name() == "sqlite":
        return _on_sqlite(url, Path(location.database or ""), work)

    def in_schema(connection: Connection) -> T:
        _enter_schema(connection, service)
        return work(connection)

    return run_on_postgresql(url, in_schema)


def look(url: str, work: Callable[[Connection], T]) -> T | None:
    """Run `work`, which changes nothing, on a database.

    Returns:
        What it returns; None if there is no database, as before an embedded one is made.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached.
    """
    location = database_url(url)
    if location.get_backend_name() != "sqlite":
        return run_on_postgresql(url, work)
    file = Path(location.database or "")
    return _on_sqlite(url, file, work, mode="rw") if file.exists() else None


def run_on_postgresql(url: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction on a PostgreSQL database, as the role that its URL names.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached.
    """

    async def connect() -> Any:  # noqa: ANN401
        try:
            return await asyncpg.connect(url, timeout=CONNECT_TIMEOUT)
        except TimeoutError:
            raise _cannot_open(url, "it does not answer") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise _cannot_open(url, str(error).partition("\n")[0]) from None

    async def run() -> T:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args={"async_creator_fn": connect},
            poolclass=NullPool,
            hide_parameters=True,
        )
        async with engine.begin() as connection:
            return await connection.run_sync(work)

    return asyncio.run(run())


def _enter_schema(connection: Connection, schema: str) -> None:
    name = {"name": schema}
    connection.execute(text(f"SET LOCAL lock_timeout = '{OTHERS_TIMEOUT:.0f}s'"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), name)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT:.0f}s'"))
    there = connection.execute(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), name)
    if there.one_or_none() is None:
        try:
            connection.execute(CreateSchema(schema))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
                raise
            raise MigrationError(
                f"{schema} has no schema yet, and its role may not create one: "
                f"run 'migrate {schema}' with --admin-url"
            ) from None
    path = connection.dialect.identifier_preparer.quote(schema)
    connection.execute(text(f"SET LOCAL search_path = {path}"))
    # What is reflected without a schema is looked for here.
    connection.dialect.default_schema_name = schema


def _on_sqlite(url: str, file: Path, work: Callable[[Connection], T], *, mode: str = "rwc") -> T:
    engine = create_engine(
        URL.create(
            "sqlite",
            database=f"file:{quote_from_bytes(os.fsencode(file.absolute()))}",
            query={"mode": mode, "uri": "true"},
        ),
        poolclass=NullPool,
        hide_parameters=True,
    )
    prepare_sqlite(engine)
    try:
        if mode == "rwc":
            file.absolute().parent.mkdir(parents=True, exist_ok=True)
        connection = engine.connect()
        connection.begin()
    except (OSError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise _cannot_open(url, str(reason)) from None
    with connection:
        done = work(connection)
        connection.commit()
        return done


def prepare_sqlite(engine: Engine) -> None:
    """Let an engine's transactions hold changes of tables as well, and take the lock at once.

    Rows are checked against foreign keys after a step and not within it: to change a table, SQLite
    needs a new one that takes its place.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {int(OTHERS_TIMEOUT * 1000)}")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _cannot_open(url: str, reason: str) -> CannotOpenDatabaseError:
    advice = (
        "check that the path is right and that this user may write there"
        if url.startswith("sqlite")
        else "check that it runs, and that the URL is right"
    )
    return CannotOpenDatabaseError(f"cannot open the database {shown_url(url)}: {reason}; {advice}")
