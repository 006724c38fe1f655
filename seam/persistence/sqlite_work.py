"""One transaction of a group on SQLite: its statements, and how it is undone alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from seam.persistence.compilation import Compiled
from seam.persistence.failures import DriverError, TransactionEndedError, unavailable
from seam.persistence.sqlite_connection import ERRORS, OverrunError

if TYPE_CHECKING:
    from seam.persistence.sqlite_writer import SqliteWriter

T = TypeVar("T")

Callback: TypeAlias = Callable[[], object]

LONG_SECONDS: Final = 0.005
"""Time that makes a statement that writes one that runs in the thread the next time."""

MANY: Final = 100
"""Rows at once that make it one, too."""

_SLICE: Final = 1_000
"""Rows that are written before it is seen whether somebody still waits."""


class SqliteWork:
    """See `Work`.

    Attributes:
        joined: others share its commit already, so it has a savepoint.
        alone: nobody is to share it.
        ended: it has given its turn back.
        callbacks: what is called after the commit.
    """

    dialect = "sqlite"

    def __init__(
        self, writer: SqliteWriter, connection: sqlite3.Connection, *, joined: bool, alone: bool
    ) -> None:
        """Run statements on `connection`, which `writer` has begun a transaction on."""
        self.joined = joined
        self.alone = alone
        self.ended = False
        self.callbacks: list[Callback] = []
        self._writer = writer
        self._connection = connection
        self._dead: Exception | None = None
        self._in_thread = False
        self._last = perf_counter()

    async def rows(self, compiled: Compiled, arguments: Sequence[Any]) -> Sequence[Any]:
        """See `Work`."""
        self.check()
        if compiled.writes:
            return await self._change(compiled, arguments, lambda cursor: cursor.fetchall())
        if not self._writer.pace.is_long(compiled):
            try:
                return self._writer.budget.rows(compiled.sql, arguments)
            except OverrunError:
                self._writer.pace.note(compiled)
            except ERRORS as error:
                raise self.failed(error, compiled.sql) from None
        return await self._thread(
            compiled.sql, lambda: self._connection.execute(compiled.sql, arguments).fetchall()
        )

    async def run(self, compiled: Compiled, arguments: Sequence[Any]) -> int:
        """See `Work`."""
        self.check()
        return await self._change(compiled, arguments, lambda cursor: cursor.rowcount)

    async def run_many(self, compiled: Compiled, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Work`."""
        self.check()
        if len(rows) <= MANY:
            try:
                self._run_slice(compiled, rows)
            except ERRORS as error:
                raise self.failed(error, compiled.sql) from None
            return
        left = iter(rows)
        # Who asks is asked for in the thread as well.
        context = copy_context()
        while part := list(islice(left, _SLICE)):
            run_slice = partial(context.run, self._run_slice, compiled, part)
            await self._thread(compiled.sql, run_slice)

    async def control(self, sql: str) -> None:
        """See `Work`."""
        self.check()
        try:
            self._connection.execute(sql)
        except ERRORS as error:
            raise self.failed(error, sql) from None

    def after_commit(self, callback: Callback) -> None:
        """See `Work`."""
        self.callbacks.append(callback)

    def check(self) -> None:
        """Refuse to go on with a transaction that has ended.

        Raises:
            TransactionEndedError: its block is over.
        """
        if self._dead is not None:
            raise self._dead
        if self.ended:
            # Its connection may be in the middle of another one by now.
            raise TransactionEndedError
        self._last = perf_counter()

    def bound(self, seconds: float) -> None:
        """End the transaction when it does nothing for so long: others wait for its commit."""
        asyncio.get_running_loop().call_later(seconds, self._expire, seconds)

    def undo(self) -> None:
        """Undo what it did, and nothing that others did."""
        if not self._connection.in_transaction:
            return
        try:
            if self.joined:
                self._connection.execute("ROLLBACK TO body")
                self._connection.execute("RELEASE body")
            else:
                self._connection.rollback()
        except sqlite3.Error as error:
            # Rather nothing than half of something.
            with suppress(sqlite3.Error):
                self._connection.rollback()
            self._writer.lose(DriverError(error, "ROLLBACK"))

    def release(self) -> None:
        """Make what it did a part of the group's transaction."""
        if self.joined:
            self._connection.execute("RELEASE body")

    def failed(self, error: Exception, sql: str) -> DriverError:
        """Hand on an error, after it was seen whether the transaction has survived it."""
        told = DriverError(error, sql)
        self._survive(told)
        return told

    def _survive(self, error: Exception) -> None:
        if self._dead is None and not self._connection.in_transaction:
            self._dead = error
            self._writer.lose(error)

    async def _change(
        self,
        compiled: Compiled,
        arguments: Sequence[Any],
        result: Callable[[sqlite3.Cursor], T],
    ) -> T:
        taken = 0.0

        def change() -> T:
            nonlocal taken
            begun = perf_counter()
            changed = result(self._connection.execute(compiled.sql, arguments))
            taken = perf_counter() - begun
            return changed

        try:
            short = self._writer.pace.is_short(self._connection, compiled, arguments)
            changed = change() if short else await self._thread(compiled.sql, change)
        except ERRORS as error:
            raise self.failed(error, compiled.sql) from None
        if not short or taken > LONG_SECONDS:
            self._writer.pace.learn(compiled, short=taken <= LONG_SECONDS)
        return changed

    def _run_slice(self, compiled: Compiled, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(compiled.sql, map(compiled.arguments, rows))

    async def _thread(self, sql: str, work: Callable[[], T]) -> T:
        self._in_thread = True
        self._writer.budget.rest()
        try:
            return await self._writer.in_thread(work)
        except ERRORS as error:
            raise self.failed(error, sql) from None
        except asyncio.CancelledError:
            self._survive(unavailable("a statement that took too long was ended", "is locked"))
            raise
        finally:
            self._writer.budget.watch()
            self._in_thread = False
            self._last = perf_counter()

    def _expire(self, seconds: float) -> None:
        if self.ended:
            return
        if self._in_thread or perf_counter() - self._last < seconds:
            self.bound(seconds)
            return
        self._dead = unavailable("a transaction takes too long", "is locked")
        self.ended = True
        self.undo()
        self._writer.leave()
