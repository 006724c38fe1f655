"""SQLite: one file for each service.

Reads run on the event loop while they are short (`sqlite_reader`), writes share a connection and
its commits (`sqlite_writer`). A file that is removed is written no more; one that has taken the
place of another is examined first.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, MetaData, NullPool, create_engine
from sqlalchemy.engine import URL

from seam.contract import Code
from seam.persistence.failures import DriverError, Failure, FailureError, unavailable
from seam.persistence.sqlite_connection import BUSY_TIMEOUT_MS, connect
from seam.persistence.sqlite_reader import SqliteReader
from seam.persistence.sqlite_work import SqliteWork
from seam.persistence.sqlite_writer import SqliteWriter
from seam.persistence.statements import Command, Query

R = TypeVar("R")
C = TypeVar("C", bound=sqlite3.Connection | None)

START_BUSY_TIMEOUT_MS: Final = 10_000
"""How long a process that starts waits for others that do the same."""

CHECKED_BYTES: Final = 256 * 2**20
"""Size up to which a file is read at the start, to see whether it is whole: about a second."""

_ASK: Final = "SELECT count(*) FROM sqlite_schema"


class SqliteBackend:
    """See `Backend`."""

    interval = 5.0
    patience = 5.0

    def __init__(
        self, location: URL, metadata: MetaData, prepare: Callable[[Connection], None]
    ) -> None:
        """Use the file at `location` for `metadata`, once `prepare` has checked what it holds."""
        self._file = Path(location.database or "").absolute()
        self._metadata = metadata
        self._check_tables = prepare
        self._identity: tuple[int, int] | None = None
        self._examiner = ThreadPoolExecutor(1, "sqlite-examiner")
        self._reader = SqliteReader(self._file)
        self._writer = SqliteWriter(self._file, self._missing)

    async def prepare(self) -> None:
        """Create the file if it is missing, and check what it holds."""
        self._reader.use(await self._examined(self._prepare))

    async def close(self) -> None:
        """Let go of all connections, that of a question which is under way included."""
        await asyncio.to_thread(self._examiner.shutdown)
        await self._writer.close()
        await asyncio.to_thread(self._reader.close)

    async def ask(self) -> None:
        """See `Backend`. A file that has taken the place of another is examined first."""
        replaced = await self._examined(self._ask)
        if replaced is not None:
            self._reader.use(replaced)
            self._writer.renew()

    def cut(self) -> None:
        """See `Backend`. A statement on a file cannot be ended; it ends by itself."""

    def restore(self) -> None:
        """See `Backend`."""

    async def fetch(self, query: Query[R], parameters: Mapping[str, object]) -> list[R]:
        """See `Backend`."""
        compiled = query.compiled("sqlite", parameters)
        if not compiled.writes:
            return await self._reader.fetch(query, compiled, parameters)
        work = await self._writer.begin()
        try:
            rows = await work.rows(compiled, compiled.arguments(parameters))
            await self._writer.commit(work)
        finally:
            await self._writer.rollback(work)
        return query.records(compiled, rows)

    async def execute(self, command: Command, parameters: Mapping[str, object]) -> int:
        """See `Backend`."""
        compiled = command.compiled("sqlite", parameters)
        arguments = compiled.arguments(parameters)
        work = await self._writer.begin()
        try:
            count = await work.run(compiled, arguments)
            await self._writer.commit(work)
        finally:
            await self._writer.rollback(work)
        return count

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Backend`."""
        compiled = command.compiled_for_all("sqlite", rows)
        work = await self._writer.begin()
        try:
            await work.run_many(compiled, rows)
            await self._writer.commit(work)
        finally:
            await self._writer.rollback(work)

    async def begin(self, *, alone: bool) -> SqliteWork:
        """See `Backend`."""
        return await self._writer.begin(alone=alone)

    async def commit(self, work: SqliteWork) -> None:
        """See `Backend`."""
        await self._writer.commit(work)

    async def rollback(self, work: SqliteWork) -> None:
        """See `Backend`."""
        await self._writer.rollback(work)

    async def _examined(self, examine: Callable[[], C]) -> C:
        """What `examine` opens, in a thread of its own that `close` waits for.

        Whoever waits may be gone earlier; what is opened then is closed again.
        """
        opened = asyncio.get_running_loop().run_in_executor(self._examiner, examine)
        try:
            return await asyncio.shield(opened)
        except asyncio.CancelledError:
            opened.add_done_callback(_close_opened)
            raise

    def _prepare(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._file.is_dir():
            raise unavailable("it is a directory; expected a file")
        self._examine()
        return self._reader.connect()

    def _ask(self) -> sqlite3.Connection | None:
        """Ask; gives a connection to the file if it has taken the place of another."""
        identity = _identity(self._file)
        if identity is None:
            raise unavailable(f"{self._file} is gone", "has lost its file")
        try:
            if identity != self._identity:
                self._examine()
                return self._reader.connect()
            with closing(connect(self._file, busy_timeout_ms=BUSY_TIMEOUT_MS)) as connection:
                connection.execute(_ASK).fetchone()
        except sqlite3.Error as error:
            raise DriverError(error, _ASK) from None
        return None

    def _missing(self) -> Failure | None:
        """Why nothing must be written: to a file that was removed, it is lost without a word."""
        if _identity(self._file) == self._identity:
            return None
        return Failure(Code.UNAVAILABLE, f"{self._file} is gone", "has lost its file")

    def _examine(self) -> None:
        engine = create_engine(
            "sqlite://",
            creator=lambda: connect(self._file, mode="rwc", busy_timeout_ms=START_BUSY_TIMEOUT_MS),
            poolclass=NullPool,
            hide_parameters=True,
        ).execution_options(schema_translate_map={self._metadata.schema: None})
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if self._file.stat().st_size <= CHECKED_BYTES:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)")
                verdict = str(found.scalar_one())
                if verdict != "ok":
                    detail = f"database disk image is malformed ({verdict.splitlines()[-1]})"
                    raise FailureError(Failure(Code.DATA_LOSS, detail, "is damaged"))
            self._check_tables(connection)
            # SQLite opens a file that it may not write, and says so at the first write alone.
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version = {int(version)}")
            connection.commit()
        self._identity = _identity(self._file)


def _close_opened(opened: asyncio.Future[C]) -> None:
    if opened.cancelled() or opened.exception() is not None:
        return
    connection = opened.result()
    if connection is not None:
        connection.close()


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file stands at a path, if there is one."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
