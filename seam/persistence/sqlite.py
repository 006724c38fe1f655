"""SQLite: one file for each service, reached by aiosqlite.

A transaction takes the write lock when it begins. Taking it at the first write, as SQLite does by
default, fails at once if another connection has written since the transaction's first read, however
long one is willing to wait.

The file is never opened in any other way than by SQLite: closing it again would give up the locks
that SQLite holds on it for the whole process (https://www.sqlite.org/howtocorrupt.html).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import quote_from_bytes

from sqlalchemy import Connection, MetaData, NullPool, event, text
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from seam.contract import Code
from seam.persistence.failures import Failure, FailureError, unavailable

BUSY_TIMEOUT_MS: Final = 2_000
"""How long a statement of a call waits for another process's write lock."""

START_BUSY_TIMEOUT_MS: Final = 10_000
"""How long a process that starts waits for others that do the same."""

POOL_TIMEOUT: Final = 3.0
"""Seconds to wait for a connection that others use."""

CHECKED_BYTES: Final = 256 * 2**20
"""Size up to which a file is read at the start, to see whether it is whole: about a second."""

READ: Final = {"sqlite_read": True}
"""Execution options of what only reads."""


class SqliteBackend:
    """See `Backend`."""

    interval = 5.0
    patience = 5.0

    def __init__(
        self, location: URL, metadata: MetaData, prepare: Callable[[Connection], None]
    ) -> None:
        """Use the file at `location`, which names the driver, for the tables of `metadata`.

        What it holds is looked at by `prepare`.
        """
        self._file = Path(location.database or "").absolute()
        self._metadata = metadata
        self._check_tables = prepare
        self._identity: tuple[int, int] | None = None
        self._opening = self._engine("rwc", START_BUSY_TIMEOUT_MS, alone=True)
        self._asking = self._engine("rw", BUSY_TIMEOUT_MS, alone=True)
        self.engine = self._engine("rw", BUSY_TIMEOUT_MS)

    async def prepare(self) -> None:
        """Create the file if it is missing, and look at what it holds."""
        await asyncio.to_thread(self._file.parent.mkdir, parents=True, exist_ok=True)
        if await asyncio.to_thread(self._file.is_dir):
            raise unavailable("it is a directory; expected a file")
        await self._examine()

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()

    async def ask(self) -> None:
        """See `Backend`. A file that has taken the place of another is examined first."""
        identity = _identity(self._file)
        if identity is None:
            raise unavailable(f"{self._file} is gone", "has lost its file")
        if identity != self._identity:
            await self._examine()
            await self.engine.dispose()
        async with self._asking.connect() as connection:
            await connection.execution_options(**READ)
            await connection.execute(text("SELECT count(*) FROM sqlite_schema"))

    def missing(self) -> Failure | None:
        """See `Backend`. What is written to a file that was removed is lost without a word."""
        if _identity(self._file) == self._identity:
            return None
        return Failure(Code.UNAVAILABLE, f"{self._file} is gone", "has lost its file")

    def cut(self) -> None:
        """See `Backend`. A statement on a file cannot be ended; it ends by itself."""

    def restore(self) -> None:
        """See `Backend`."""

    async def _examine(self) -> None:
        async with self._opening.begin() as connection:
            if self._file.stat().st_size <= CHECKED_BYTES:
                found = await connection.execute(text("PRAGMA quick_check(1)"))
                verdict = str(found.scalar_one())
                if verdict != "ok":
                    detail = f"database disk image is malformed ({verdict.splitlines()[-1]})"
                    raise FailureError(Failure(Code.DATA_LOSS, detail, "is damaged"))
            await connection.run_sync(self._check_tables)
            # SQLite opens a file that it may not write, and says so at the first write alone.
            version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
            await connection.execute(text(f"PRAGMA user_version = {int(version)}"))
        self._identity = _identity(self._file)

    def _engine(self, mode: str, busy_timeout_ms: int, *, alone: bool = False) -> AsyncEngine:
        location = URL.create(
            "sqlite+aiosqlite",
            database=f"file:{quote_from_bytes(os.fsencode(self._file))}",
            query={"mode": mode, "uri": "true"},
        )
        engine = (
            create_async_engine(location, hide_parameters=True, poolclass=NullPool)
            if alone
            else create_async_engine(location, hide_parameters=True, pool_timeout=POOL_TIMEOUT)
        )
        _prepare_connections(engine, busy_timeout_ms)
        return engine.execution_options(schema_translate_map={self._metadata.schema: None})


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file stands at a path, if there is one."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_connections(engine: AsyncEngine, busy_timeout_ms: int) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: AsyncAdapt_aiosqlite_connection, _: object) -> None:
        # The driver must not begin transactions by itself: `begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        _switch_to_wal(connection, cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
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
    deadline = monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            connection.run_async(lambda _: asyncio.sleep(0.005))
        else:
            return
