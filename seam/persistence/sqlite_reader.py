"""Reads a file of SQLite: on the event loop as long as a statement is short, else in a thread.

A look-up by key takes some microseconds, a hop to a thread and back fifty times as much. So a
statement begins on the loop, on a connection that it has for itself, and gives its whole result at
once. When it has spent its budget it is ended, and runs again in a thread. It is remembered, and
goes to a thread at once for the next few times. The same is done with one that finds a lock.

In a thread the rows become records as well, and whoever waits no longer ends the statement. Threads
give way to the event loop where there are fewer processors than they would use.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from seam.persistence.compilation import Compiled
from seam.persistence.failures import DriverError, unavailable
from seam.persistence.sqlite_connection import (
    BUSY_TIMEOUT_MS,
    ERRORS,
    Budget,
    OverrunError,
    connect,
    is_busy,
)
from seam.persistence.statements import Query

R = TypeVar("R")

THREADS: Final = 4
"""Long statements that run at the same time."""

POOL_TIMEOUT: Final = 3.0
"""Seconds to wait for a thread that others use."""

AGAIN: Final = 20
"""Executions of a long statement after which it is tried on the loop again."""

NICENESS: Final = 10
"""How much nicer than the event loop threads are: each gets a tenth of its share, see sched(7)."""

_CHECKED_STEPS: Final = 200_000
"""Instructions between two looks at whether somebody still waits: some milliseconds. Each look
waits for the interpreter's lock, which a busy event loop seldom lets go of."""


class SqliteReader:
    """Runs statements that only read."""

    def __init__(self, file: Path) -> None:
        """Read `file`, once `use` was called."""
        self._file = file
        self._threads = ThreadPoolExecutor(THREADS, "sqlite-reader", _give_way)
        self._free = asyncio.Semaphore(THREADS)
        self._idle: list[_Link] = []
        self._generation = 0
        self._long: dict[Compiled, int] = {}
        self._budget: Budget | None = None
        self._connection: sqlite3.Connection | None = None

    def connect(self) -> sqlite3.Connection:
        """Open the file; blocks."""
        return _connect(self._file, busy_timeout_ms=0)

    def use(self, connection: sqlite3.Connection) -> None:
        """Read by `connection` from now on, since it is of the file that is there now."""
        if self._connection is not None:
            self._connection.close()
        self._connection = connection
        self._budget = Budget(connection)
        self._generation += 1

    def close(self) -> None:
        """Let go of all connections; blocks until nothing runs any more."""
        self._threads.shutdown()
        for link in self._idle:
            link.connection.close()
        if self._connection is not None:
            self._connection.close()

    async def fetch(
        self, query: Query[R], compiled: Compiled, parameters: Mapping[str, object]
    ) -> list[R]:
        """What a query gives, of what is committed now."""
        arguments = compiled.arguments(parameters)
        if not query.long and (not self._long or not self._is_long(compiled)):
            rows = self._on_loop(compiled, arguments)
            if rows is not None:
                return query.records(compiled, rows)

        def read(connection: sqlite3.Connection) -> list[R]:
            return query.records(compiled, connection.execute(compiled.sql, arguments).fetchall())

        return await self._in_thread(_Reading(self._generation, compiled.sql, read))

    def _on_loop(self, compiled: Compiled, arguments: Sequence[Any]) -> list[Any] | None:
        """Rows of a statement that is short; None of one that is to run in a thread."""
        assert self._budget is not None, "it was opened"
        # One that is late once may have been stopped by the machine, and would wait in vain for a
        # thread behind statements that do take long.
        for last in (False, True):
            try:
                return self._budget.rows(compiled.sql, arguments)
            except OverrunError as overrun:
                if last or not overrun.late:
                    self._long[compiled] = AGAIN
                    break
            except ERRORS as error:
                if not is_busy(error):
                    raise DriverError(error, compiled.sql) from None
                break
        return None

    def _is_long(self, compiled: Compiled) -> bool:
        left = self._long.get(compiled)
        if left is None:
            return False
        if left == 0:
            del self._long[compiled]
            return False
        self._long[compiled] = left - 1
        return True

    async def _in_thread(self, reading: _Reading[R]) -> list[R]:
        try:
            async with asyncio.timeout(POOL_TIMEOUT):
                await self._free.acquire()
        except TimeoutError:
            raise unavailable("no thread has become free in time", "is too busy") from None
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._threads, self._run, reading)
        done.add_done_callback(self._freed)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            reading.abandoned = True
            raise

    def _freed(self, done: asyncio.Future[list[R]]) -> None:
        self._free.release()
        if not done.cancelled():
            done.exception()

    def _run(self, reading: _Reading[R]) -> list[R]:
        try:
            link = self._idle.pop()
        except IndexError:
            link = None
        if link is not None and link.generation != reading.generation:
            link.connection.close()
            link = None
        try:
            link = link or _Link(self._file, reading.generation)
            return link.run(reading)
        except ERRORS as error:
            raise DriverError(error, reading.sql) from None
        finally:
            if link is not None:
                self._idle.append(link)


class _Reading(Generic[R]):
    """What runs in a thread.

    Attributes:
        abandoned: nobody waits for it any more.
    """

    def __init__(
        self, generation: int, sql: str, read: Callable[[sqlite3.Connection], list[R]]
    ) -> None:
        self.generation = generation
        self.sql = sql
        self.read = read
        self.abandoned = False


class _Link:
    """A connection that threads use, one at a time."""

    def __init__(self, file: Path, generation: int) -> None:
        self.generation = generation
        self.connection = _connect(file, busy_timeout_ms=BUSY_TIMEOUT_MS)

    def run(self, reading: _Reading[R]) -> list[R]:
        # SQLite ends a statement when this is true.
        self.connection.set_progress_handler(lambda: reading.abandoned, _CHECKED_STEPS)
        return reading.read(self.connection)


def _give_way() -> None:
    """Let others go first: on Linux, a thread has a niceness of its own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, niceness + NICENESS)


def _connect(file: Path, *, busy_timeout_ms: int) -> sqlite3.Connection:
    connection = connect(file, busy_timeout_ms=busy_timeout_ms)
    connection.execute("PRAGMA query_only = ON")
    return connection
