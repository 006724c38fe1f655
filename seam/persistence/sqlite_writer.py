"""Writes a file of SQLite: one connection, and one commit for many transactions.

A commit waits for the disk, some hundred times as long as a statement takes. So transactions share
it. The first begins a group: `BEGIN IMMEDIATE`, which takes the write lock. Bodies run one after
another, each in a savepoint of its own, their statements on the event loop, since they are short;
one that fails is undone alone. When nobody waits for a turn any more, or the group is large or old
enough, it is committed in a thread, and only then is any of them told that it has succeeded. While
the disk is waited for, others gather for the next group.

    turn: begin → body → body → … → commit (in a thread) → next group

What is known to take long, such as many rows at once, runs in the writer's thread; the others wait.
A body that waits for something else than the database holds others up: those in line give up after
`WRITER_TIMEOUT`, and one that holds up others who are done loses its turn after the same time.
When SQLite gives a whole transaction up, as it does on a full disk, the whole group has failed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeAlias, TypeVar

from seam.persistence.compilation import Compiled
from seam.persistence.failures import DriverError, Failure, FailureError, unavailable
from seam.persistence.sqlite_connection import (
    BUSY_TIMEOUT_MS,
    Budget,
    OverrunError,
    connect,
    is_busy,
)

T = TypeVar("T")

WRITER_TIMEOUT: Final = 2.0
"""Seconds that a transaction waits for others of the same process."""

GROUP: Final = 200
"""Transactions that share a commit, at most."""

GROUP_SECONDS: Final = 0.02
"""Time after which a group is committed although others wait to join it."""

LONG_SECONDS: Final = 0.005
"""Time that makes a statement one that runs in the thread."""

MANY: Final = 100
"""Rows at once that make it one, too."""

AGAIN: Final = 20
"""Executions of a long statement after which it is tried on the loop again."""

_SLICE: Final = 1_000
"""Rows that are written before it is seen whether somebody still waits."""

_PATIENCE: Final = 1.0
"""Seconds for a statement whose caller has gone to end by itself."""

_CACHE_KIB: Final = 65_536
"""Memory for pages that a transaction changes, which are written early when it is full; what is not
needed is not taken."""

_POLL: Final = 0.002
"""Seconds between two tries to take the lock from another process."""

Callback: TypeAlias = Callable[[], object]

_Member: TypeAlias = tuple[asyncio.Future[None], Sequence[Callback]]
"""Of a group: what waits for the commit, and what is called after it."""


class SqliteWriter:
    """Runs transactions, one body at a time."""

    def __init__(self, file: Path, missing: Callable[[], Failure | None]) -> None:
        """Write `file`.

        Args:
            file: where the database is.
            missing: tells why nothing must be written, before something is.
        """
        self._file = file
        self._missing = missing
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._connection: sqlite3.Connection | None = None
        self._reopen = False
        self._line: deque[asyncio.Future[None]] = deque()
        self._taken = False
        self._group: list[_Member] = []
        self._begun = 0.0
        self._long: dict[Compiled, int] = {}

    def renew(self) -> None:
        """Use the file that has taken the place of the one that is open."""
        self._reopen = True

    def close(self) -> None:
        """Let go of the connection; blocks until nothing runs any more."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    # A transaction: begin, then commit or roll back.

    async def begin(self, *, alone: bool = False) -> SqliteWork:
        """Wait for a turn, and begin a transaction.

        Args:
            alone: share the commit with nobody, as what takes long should.
        """
        await self._take_turn()
        try:
            if alone and self._group:
                await self._ended(self._start_commit())
            connection = await self._lock()
            work = SqliteWork(self, connection, joined=bool(self._group), alone=alone)
            if work.joined:
                connection.execute("SAVEPOINT body")
                work.bound(WRITER_TIMEOUT)
        except sqlite3.Error as error:
            self.leave()
            raise DriverError(error, "BEGIN IMMEDIATE") from None
        except BaseException:
            self.leave()
            raise
        return work

    async def commit(self, work: SqliteWork) -> None:
        """Return when what a transaction did is on disk."""
        work.check()
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            work.release()
        except sqlite3.Error as error:
            raise work.failed(error, "RELEASE") from None
        work.ended = True
        self._group.append((committed, work.callbacks))
        self.leave(alone=work.alone)
        await committed

    async def rollback(self, work: SqliteWork) -> None:
        """Undo what a transaction did."""
        if not work.ended:
            work.ended = True
            work.undo()
            self.leave()

    # Turns.

    async def _take_turn(self) -> None:
        if not self._taken:
            self._taken = True
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line.append(turn)
        timer = loop.call_later(WRITER_TIMEOUT, _give_up, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()
            raise
        finally:
            timer.cancel()

    def leave(self, *, alone: bool = False) -> None:
        """End a turn: the next in line joins the group, or the group is committed."""
        while self._line and self._line[0].done():
            self._line.popleft()
        full = len(self._group) >= GROUP or perf_counter() - self._begun > GROUP_SECONDS
        if self._group and (alone or full or not self._line):
            self._start_commit().add_done_callback(lambda _: self.leave())
        elif self._line:
            self._line.popleft().set_result(None)
        else:
            self._taken = False

    # A group: the write lock, then one commit.

    async def _lock(self) -> sqlite3.Connection:
        """Take the write lock, unless the group has it."""
        if self._group:
            assert self._connection is not None, "a group has one"
            return self._connection
        missing = self._missing()
        if missing is not None:
            raise FailureError(missing)
        if self._connection is None or self._reopen:
            await self.in_thread(self._open)
        assert self._connection is not None, "it was opened"
        deadline = perf_counter() + BUSY_TIMEOUT_MS / 1000
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or perf_counter() > deadline:
                    raise
                await asyncio.sleep(_POLL)
            else:
                break
        self._begun = perf_counter()
        return self._connection

    def _open(self) -> None:
        if self._connection is not None:
            self._connection.close()
        # Who waits for another process's lock waits in `_lock`.
        self._connection = connect(self._file, busy_timeout_ms=0)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._reopen = False
        self.budget = Budget(self._connection)

    def _start_commit(self) -> asyncio.Future[None]:
        assert self._connection is not None, "a group has one"
        group, self._group = self._group, []
        commit = asyncio.get_running_loop().run_in_executor(self._thread, self._connection.commit)
        commit.add_done_callback(partial(self._committed, group))
        return commit

    def _committed(self, group: Sequence[_Member], commit: asyncio.Future[None]) -> None:
        error = commit.exception()
        if error is None:
            for committed, callbacks in group:
                # They run before whoever waits for the commit goes on.
                for callback in callbacks:
                    asyncio.get_running_loop().call_soon(callback)
                if not committed.done():
                    committed.set_result(None)
            return
        assert self._connection is not None, "a group has one"
        with suppress(sqlite3.Error):
            self._connection.rollback()
        _fail(group, DriverError(error, "COMMIT"))

    def lose(self, error: Exception) -> None:
        """Fail the whole group: SQLite has given its transaction up."""
        group, self._group = self._group, []
        _fail(group, error)

    # Statements.

    def is_long(self, compiled: Compiled) -> bool:
        """Whether a statement is known to take long."""
        left = self._long.get(compiled)
        if left is None:
            return False
        if left == 0:
            del self._long[compiled]
            return False
        self._long[compiled] = left - 1
        return True

    def note(self, compiled: Compiled) -> None:
        """Remember that a statement takes long."""
        self._long[compiled] = AGAIN

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run something in the writer's thread; returns when it has ended, whatever happens."""
        return await self._ended(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _ended(self, done: asyncio.Future[T]) -> T:
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            # Nobody else may touch the connection before it has ended.
            while not done.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({done}, timeout=_PATIENCE)
                if not done.done() and self._connection is not None:
                    self._connection.interrupt()
            if not done.cancelled():
                done.exception()
            raise


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
        if not self._writer.is_long(compiled):
            try:
                return self._writer.budget.rows(compiled.sql, arguments)
            except OverrunError:
                self._writer.note(compiled)
            except sqlite3.Error as error:
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
            except sqlite3.Error as error:
                raise self.failed(error, compiled.sql) from None
            return
        left = iter(rows)
        while part := list(islice(left, _SLICE)):
            await self._thread(compiled.sql, partial(self._run_slice, compiled, part))

    async def control(self, sql: str) -> None:
        """See `Work`."""
        self.check()
        try:
            self._connection.execute(sql)
        except sqlite3.Error as error:
            raise self.failed(error, sql) from None

    def after_commit(self, callback: Callback) -> None:
        """See `Work`."""
        self.callbacks.append(callback)

    def check(self) -> None:
        """Refuse to go on with a transaction that has ended."""
        if self._dead is not None:
            raise self._dead
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

    def failed(self, error: sqlite3.Error, sql: str) -> DriverError:
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
        def change() -> T:
            return result(self._connection.execute(compiled.sql, arguments))

        if self._writer.is_long(compiled):
            return await self._thread(compiled.sql, change)
        begun = perf_counter()
        try:
            return change()
        except sqlite3.Error as error:
            raise self.failed(error, compiled.sql) from None
        finally:
            if perf_counter() - begun > LONG_SECONDS:
                self._writer.note(compiled)

    def _run_slice(self, compiled: Compiled, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(compiled.sql, map(compiled.arguments, rows))

    async def _thread(self, sql: str, work: Callable[[], T]) -> T:
        self._in_thread = True
        self._writer.budget.rest()
        try:
            return await self._writer.in_thread(work)
        except sqlite3.Error as error:
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


def _fail(group: Sequence[_Member], error: Exception) -> None:
    for committed, _ in group:
        if not committed.done():
            committed.set_exception(error)


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(unavailable("other transactions take too long", "is locked"))
