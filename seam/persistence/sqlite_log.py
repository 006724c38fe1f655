"""The log beside a file of SQLite: how long it is, and how it is begun anew.

What is committed is in a log beside the file, which SQLite copies into the file now and then. It
begins the log anew only in a moment in which nobody reads what is in it, and where somebody always
reads, there is none. So a log that has become long is begun anew by the writer, which keeps
everybody who writes waiting until those who read at that moment have done so
(https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files).
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

LOG_BYTES: Final = 64 * 2**20
"""Size of the log from which it is begun anew."""

LOG_SECONDS: Final = 1.0
"""How long those who read are waited for then."""

LOG_INTERVAL: Final = 5.0
"""Seconds until they are waited for again, if one of them has taken longer."""

_LOG_BUSY_MS: Final = 50
"""How long SQLite waits for them at a time. It waits for one place to become free, which others who
come meanwhile may share, although by then they would not be in its way: so it has to look again."""


class SqliteLog:
    """The log of one file."""

    def __init__(self, file: Path) -> None:
        """Look after the log of `file`."""
        self._path = Path(f"{file}-wal")
        self._left_until = 0.0

    def bound(self, connection: sqlite3.Connection) -> None:
        """Let a connection that is going to write cut off what is longer, once it is begun anew."""
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")

    def is_due(self) -> bool:
        """Whether it has become long, and those who read were not waited for a moment ago."""
        return perf_counter() > self._left_until and self._bytes() > LOG_BYTES

    def begin_anew(self, connection: sqlite3.Connection) -> None:
        """Copy the log into the file, and let the next transaction begin it anew; blocks.

        Where that fails, as on a full disk, the log grows on, and what is committed is in it.

        Args:
            connection: the one that writes, with nothing under way.
        """
        execute = connection.execute
        until = perf_counter() + LOG_SECONDS
        busy = True
        execute(f"PRAGMA busy_timeout = {_LOG_BUSY_MS}")
        with suppress(sqlite3.Error):
            while busy and perf_counter() < until:
                busy, *_ = execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        execute("PRAGMA busy_timeout = 0")
        if busy:
            self._left_until = perf_counter() + LOG_INTERVAL

    def _bytes(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
