"""Connections to a file of SQLite, and statements that end when they take too long for the loop.

A transaction takes the write lock when it begins. Taking it at the first write, as SQLite does by
default, fails at once if another connection has written since the transaction's first read, however
long one is willing to wait.

The file is never opened in any other way than by SQLite: closing it again would give up the locks
that SQLite holds on it for the whole process (https://www.sqlite.org/howtocorrupt.html).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from urllib.parse import quote_from_bytes

BUSY_TIMEOUT_MS: Final = 2_000
"""How long a statement of a call waits for another process's write lock."""

STEPS: Final = 1_000
"""Instructions of SQLite's virtual machine between two looks at a statement: about 20 µs."""

TICKS: Final = 50
"""Such looks after which a statement is too long for the event loop: about a millisecond."""

SECONDS: Final = 0.004
"""Time after which it is, however few instructions it took: a disk may be slow."""

_NEVER: Final = float("inf")

_CACHED_STATEMENTS: Final = 512

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

ERRORS: Final = (sqlite3.Error, OverflowError, UnicodeError)
"""What a driver's call raises: of SQLite, or of a value that it cannot hand over."""


def connect(file: Path, *, mode: str = "rw", busy_timeout_ms: int) -> sqlite3.Connection:
    """Open a connection that may be used by one thread after another.

    Args:
        file: where the database is.
        mode: `rw`, or `rwc` to create the file.
        busy_timeout_ms: how long a statement waits for another's lock.
    """
    connection = sqlite3.connect(
        f"file:{quote_from_bytes(os.fsencode(file))}?mode={mode}",
        uri=True,
        # The driver must not begin transactions by itself.
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Let readers and the writer of a database not wait for each other.

    The file remembers it. When two processes make it at the same time, SQLite gives one of them
    the lock, and fails the other at once instead of letting it wait.
    """
    deadline = perf_counter() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or perf_counter() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def is_busy(error: Exception) -> bool:
    """Whether an error says that somebody else holds a lock."""
    return _code(error) & 0xFF in _BUSY


def _code(error: Exception) -> int:
    """SQLite's own code; what the driver itself refuses, such as a type, has none."""
    code = getattr(error, "sqlite_errorcode", None)
    return code if isinstance(code, int) else sqlite3.SQLITE_OK


class OverrunError(Exception):
    """A statement has spent its budget.

    Attributes:
        late: it has run out of time, with instructions left: the disk is slow, or the machine has
            had something else to do.
    """

    def __init__(self, *, late: bool) -> None:
        """Say of what it has run out."""
        super().__init__("a statement takes too long for the event loop")
        self.late = late


class Budget:
    """Runs statements that only read, as long as they are short.

    SQLite counts the instructions of a statement over all of its executions, so a look may come
    after few instructions of this one; what counts is how often it comes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Bound statements on `connection`."""
        self._cursor = connection.cursor()
        self._left = TICKS
        self._until = _NEVER
        self._connection = connection
        self.watch()

    def watch(self) -> None:
        """Look at statements."""
        self._connection.set_progress_handler(self._tick, STEPS)

    def rest(self) -> None:
        """Let statements take as long as they like."""
        self._connection.set_progress_handler(None, 0)

    def rows(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """All rows of a statement that only reads.

        Raises:
            OverrunError: it takes too long, and was ended.
        """
        self._left = TICKS
        self._until = perf_counter() + SECONDS
        try:
            return self._cursor.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if _code(error) == sqlite3.SQLITE_INTERRUPT:
                raise OverrunError(late=self._left >= 0) from None
            raise
        finally:
            self._until = _NEVER

    def _tick(self) -> bool:
        if self._until == _NEVER:
            return False
        self._left -= 1
        return self._left < 0 or perf_counter() > self._until
