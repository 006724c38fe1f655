"""Writes a file of SQLite: one connection, and one commit for many transactions.

A commit waits for the disk, some hundred times as long as a statement takes. So transactions share
it. The first begins a group: `BEGIN IMMEDIATE`, which takes the write lock. Bodies run one after
another, each in a savepoint of its own, their statements on the event loop, since they are short;
one that fails is undone alone, and waits for the others all the same: it has seen what they wrote,
and nobody is to hear of that before it is committed. When nobody waits for a turn any more, or the
group is large or old enough, it is committed in a thread, and only then is any of them told that it
has succeeded. While the disk is waited for, others gather for the next group.

    turn: begin → body → body → … → commit (in a thread) → next group

Clients that were answered often write again at once. So a group waits for as many as shared the
commit before it, for no longer than that commit took: else the first to come back would have a
commit of its own, and all others would wait for two. Who writes alone never waits.

What may take long runs in the writer's thread, and the others wait: many rows at once, and what
`sqlite_pace` takes for long. There the log is begun anew as well, see `sqlite_log`.
A body that waits for something else than the database holds others up: those in line give up after
`WRITER_TIMEOUT`, and one that holds up others who are done loses its turn after the same time.
When SQLite gives a whole transaction up, as it does on a full disk, the whole group has failed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, TypeAlias, TypeVar

from seam.persistence.failures import DriverError, Failure, FailureError, unavailable
from seam.persistence.sqlite_connection import BUSY_TIMEOUT_MS, Budget, connect, is_busy
from seam.persistence.sqlite_log import SqliteLog
from seam.persistence.sqlite_pace import SqlitePace
from seam.persistence.sqlite_work import Callback, SqliteWork

T = TypeVar("T")

WRITER_TIMEOUT: Final = 2.0
"""Seconds that a transaction waits for others of the same process."""

GROUP: Final = 200
"""Transactions that share a commit, at most."""

GROUP_SECONDS: Final = 0.02
"""Time after which a group is committed although others wait to join it."""

_PATIENCE: Final = 1.0
"""Seconds for a statement whose caller has gone to end by itself."""

_CACHE_KIB: Final = 65_536
"""Memory for pages that a transaction changes, which are written early when it is full; what is not
needed is not taken."""

_POLL: Final = 0.002
"""Seconds between two tries to take the lock from another process."""

_TICK: Final = 0.001
"""Seconds that a timer of the event loop runs at least."""

_Member: TypeAlias = tuple[asyncio.Future[None], Sequence[Callback]]
"""Of a group: what waits for the commit, and what is called after it."""


class SqliteWriter:
    """Runs transactions, one body at a time.

    Attributes:
        pace: knows which of their statements take long.
    """

    def __init__(self, file: Path, missing: Callable[[], Failure | None]) -> None:
        """Write `file`.

        Args:
            file: where the database is.
            missing: tells why nothing must be written, before something is.
        """
        self.pace = SqlitePace()
        self._file = file
        self._missing = missing
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._connection: sqlite3.Connection | None = None
        self._reopen = False
        self._line: deque[asyncio.Future[None]] = deque()
        self._taken = False
        self._group: list[_Member] = []
        self._begun = 0.0
        self._expected = 1
        self._patience = 0.0
        self._waiting: asyncio.TimerHandle | None = None
        self._log = SqliteLog(file)

    def renew(self) -> None:
        """Use the file that has taken the place of the one that is open."""
        self._reopen = True

    async def close(self) -> None:
        """Let go of the connection, once nothing runs any more."""
        if self._group and not self._taken:
            self._taken = True
            await self._ended(self._start_commit())
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
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
        """Undo what a transaction did; return when what it has seen of its group is on disk.

        Who gives up because of what others have written may look for it next, or tell of it.
        """
        if work.ended:
            return
        work.ended = True
        work.undo()
        if not self._group:
            self.leave()
            return
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._group.append((committed, ()))
        self.leave(alone=work.alone)
        await committed

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
        age = perf_counter() - self._begun
        full = alone or len(self._group) >= GROUP or age > GROUP_SECONDS
        if self._line and not (self._group and full):
            self._line.popleft().set_result(None)
        elif not self._group:
            self._taken = False
        elif not full and len(self._group) < self._expected and age < self._patience:
            self._taken = False
            if self._waiting is None:
                left = max(self._patience - age, _TICK)
                self._waiting = asyncio.get_running_loop().call_later(left, self._wait_no_more)
        else:
            self._start_commit().add_done_callback(self._go_on)

    def _go_on(self, commit: asyncio.Future[bool]) -> None:
        """Let the next group begin, after the log was begun anew if that is due."""
        if commit.exception() is None and commit.result():
            assert self._connection is not None, "a group had one"
            begun = asyncio.get_running_loop().run_in_executor(
                self._thread, self._log.begin_anew, self._connection
            )
            begun.add_done_callback(lambda _: self.leave())
        else:
            self.leave()

    def _wait_no_more(self) -> None:
        self._waiting = None
        # Who has a turn at this moment commits at its end.
        if not self._taken:
            self._taken = True
            self.leave()

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
        self._log.bound(self._connection)
        self._reopen = False
        self.pace.forget()
        self.budget = Budget(self._connection)

    def _start_commit(self) -> asyncio.Future[bool]:
        """Commit the group; gives whether the log has become long."""
        assert self._connection is not None, "a group has one"
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        group, self._group = self._group, []
        commit = asyncio.get_running_loop().run_in_executor(self._thread, self._commit)
        commit.add_done_callback(partial(self._committed, group, perf_counter()))
        return commit

    def _commit(self) -> bool:
        assert self._connection is not None, "a group has one"
        self._connection.commit()
        return self._log.is_due()

    def _committed(
        self, group: Sequence[_Member], started: float, commit: asyncio.Future[bool]
    ) -> None:
        self._expected = len(group)
        self._patience = perf_counter() - started
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

    # The thread.

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


def _fail(group: Sequence[_Member], error: Exception) -> None:
    for committed, _ in group:
        if not committed.done():
            committed.set_exception(error)


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(unavailable("other transactions take too long", "is locked"))
