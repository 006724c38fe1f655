"""Connections to a server of PostgreSQL, which calls share.

One that is free is taken at once and given back after each statement or transaction, without a
question to the server. When all are in use, a call waits for one, for a bounded time and in order.
A connection whose statement was given up by its caller, or has run out of time, is not given to
others before the server has said that it is at rest; one that does not say so in time is ended.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from seam.persistence.failures import unavailable

RECOVERY_TIMEOUT: Final = 2.0
"""Seconds for the server to end a statement that was given up."""

Connection: TypeAlias = Any
"""An `asyncpg.Connection`; the library has no types."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much of a server of PostgreSQL one process takes for one service.

    Attributes:
        connections: how many it opens at most. One of them asks whether the server is there, calls
            share the others, so two are the fewest.
        wait: seconds that a call waits for a connection that others use.
        statement: seconds for one statement that no call's deadline bounds; the server ends it.
    """

    connections: int = 17
    wait: float = 3.0
    statement: float = 60.0


DEFAULT_POOL: Final = PoolLimits()

MAXIMUM_OF_A_PROCESS: Final = 90
"""Connections that a process opens for all its services, unless it is told: a server of PostgreSQL
takes 100 unless it is told, and keeps three of them for its administrators."""

FEWEST: Final = 4


def pool_for(services: int) -> PoolLimits:
    """The pool of each of so many services in one process, where nobody has said otherwise."""
    share = max(FEWEST, MAXIMUM_OF_A_PROCESS // max(1, services))
    return replace(DEFAULT_POOL, connections=min(DEFAULT_POOL.connections, share))


class Pool:
    """Connections that are made when they are needed, and kept."""

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], size: int, wait: float
    ) -> None:
        """Share `size` connections, which `connect` makes; calls wait `wait` seconds for one."""
        self._connect = connect
        self._size = size
        self._patience = wait
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._line: deque[asyncio.Future[Connection | None]] = deque()
        self._recovering: set[asyncio.Task[None]] = set()
        self._cut = False

    def idle(self) -> Connection | None:
        """A connection that is free now, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            # The server has ended it meanwhile.
            self._all.discard(connection)
        return None

    async def take(self) -> Connection:
        """Wait for a connection, or make one.

        Raises:
            FailureError: none becomes free in time, or none can be made.
        """
        while True:
            connection = self.idle()
            if connection is not None:
                return connection
            if len(self._all) + len(self._opening) < self._size:
                return await self._open()
            connection = await self._wait()
            if connection is not None:
                return connection

    def give(self, connection: Connection) -> None:
        """Give a connection back that is at rest, or that has ended."""
        if connection.is_closed():
            self._all.discard(connection)
            self._wake(None)
        elif not self._wake(connection):
            self._idle.append(connection)

    def give_up(self, connection: Connection) -> None:
        """Give a connection back whose statement or transaction was left in the middle."""
        if connection.is_closed():
            self.give(connection)
            return
        task = asyncio.create_task(self._recover(connection))
        self._recovering.add(task)
        task.add_done_callback(self._recovering.discard)

    def cut(self) -> None:
        """End all connections, and make none until `restore`."""
        self._cut = True
        while self._opening:
            self._opening.pop().cancel()
        for connection in list(self._all):
            connection.terminate()
        while self._wake(None):
            pass

    def restore(self) -> None:
        """Make connections again."""
        self._cut = False

    async def close(self) -> None:
        """End all connections."""
        for task in self._recovering:
            task.cancel()
        await asyncio.gather(*self._recovering, return_exceptions=True)
        for connection in list(self._all):
            try:
                await connection.close(timeout=RECOVERY_TIMEOUT)
            except Exception:
                # It had ended already.
                connection.terminate()

    async def _open(self) -> Connection:
        if self._cut:
            raise _away()
        opening = asyncio.ensure_future(self._connect())
        self._opening.add(opening)
        try:
            connection = await opening
        except BaseException as error:
            was_cut = opening not in self._opening
            self._opening.discard(opening)
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                # Who waited for it was cancelled in the moment in which it came.
                self._keep(opening.result())
            else:
                self._wake(None)
            if was_cut and isinstance(error, asyncio.CancelledError):
                raise _away() from None
            raise
        if opening not in self._opening:
            # All were ended in the moment in which it came.
            connection.terminate()
            raise _away()
        self._opening.discard(opening)
        self._all.add(connection)
        return connection

    def _keep(self, connection: Connection) -> None:
        self._all.add(connection)
        if self._cut:
            connection.terminate()
        self.give(connection)

    async def _wait(self) -> Connection | None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        self._line.append(turn)
        timer = loop.call_later(self._patience, _give_up, turn)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                connection = turn.result()
                if connection is None:
                    self._wake(None)
                else:
                    self.give(connection)
            raise
        finally:
            timer.cancel()
        if self._cut:
            raise _away()
        return connection

    def _wake(self, connection: Connection | None) -> bool:
        """Hand a connection to the next in line, or the right to make one."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    async def _recover(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(RECOVERY_TIMEOUT):
                # It waits for the server to have ended what was cancelled. In a transaction that
                # has failed, the server answers nothing but this.
                await connection.execute("")
                if connection.is_in_transaction():
                    await connection.execute("ROLLBACK")
        except Exception:
            connection.terminate()
        except BaseException:
            connection.terminate()
            raise
        finally:
            self.give(connection)


def _give_up(turn: asyncio.Future[Connection | None]) -> None:
    if not turn.done():
        turn.set_exception(unavailable("no connection has become free in time", "is too busy"))


def _away() -> Exception:
    return unavailable("it was away a moment ago")
