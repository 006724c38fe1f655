"""PostgreSQL: one schema for each service, reached by asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, MetaData, NullPool, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from seam.persistence.failures import Failure, unavailable

CONNECT_TIMEOUT: Final = 2.0
"""Seconds to connect while calls wait for it."""

START_TIMEOUT: Final = 10.0
"""Seconds to connect, and for one statement, when the process starts."""

STATEMENT_TIMEOUT: Final = 60.0
"""Seconds for one statement that no call's deadline bounds."""

POOL_TIMEOUT: Final = 3.0
"""Seconds to wait for a connection that others use."""


_CUT: Final = "it was away a moment ago"


class PostgresBackend:
    """See `Backend`."""

    interval = 0.5
    patience = 0.6

    def __init__(self, location: URL, _: MetaData, prepare: Callable[[Connection], None]) -> None:
        """Use the database at `location`, which names the driver, for one service.

        What it holds is looked at by `prepare`.
        """
        self.engine = create_async_engine(
            location,
            hide_parameters=True,
            pool_timeout=POOL_TIMEOUT,
            connect_args={
                "async_creator_fn": self._connect,
                "timeout": CONNECT_TIMEOUT,
                "command_timeout": STATEMENT_TIMEOUT,
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _leave_closed)
        event.listen(self.engine.sync_engine, "handle_error", _tell_lost)
        self._location = location
        self._check_tables = prepare
        self._asyncpg: Any = vars(self.engine.dialect.loaded_dbapi)["asyncpg"]
        self._connections: WeakSet[Any] = WeakSet()
        self._opening: set[asyncio.Task[Any]] = set()
        self._own: Any = None
        self._cut = False

    async def prepare(self) -> None:
        """Look at what it holds."""
        engine = create_async_engine(
            self._location,
            hide_parameters=True,
            poolclass=NullPool,
            connect_args={
                "async_creator_fn": self._open,
                "timeout": START_TIMEOUT,
                "command_timeout": START_TIMEOUT,
            },
        )
        event.listen(engine.sync_engine, "handle_error", _tell_lost)
        async with engine.begin() as connection:
            await connection.run_sync(self._check_tables)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._own is not None:
            self._own.terminate()
        await self.engine.dispose()

    async def ask(self) -> None:
        """See `Backend`."""
        own, self._own = self._own, None
        try:
            if own is None or own.is_closed():
                _, options = self.engine.dialect.create_connect_args(self._location)
                own = await self._open(**options)
            await own.fetchval("SELECT 1")
        except BaseException:
            if own is not None:
                own.terminate()
            raise
        self._own = own

    def missing(self) -> Failure | None:
        """See `Backend`."""
        return None

    def cut(self) -> None:
        """See `Backend`."""
        self._cut = True
        while self._opening:
            self._opening.pop().cancel()
        for connection in list(self._connections):
            connection.terminate()

    def restore(self) -> None:
        """See `Backend`."""
        self._cut = False

    async def _connect(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if self._cut:
            raise unavailable(_CUT)
        opening = asyncio.create_task(self._open(*arguments, **options))
        self._opening.add(opening)
        try:
            connection = await opening
        except asyncio.CancelledError:
            if opening in self._opening:
                raise
            raise unavailable(_CUT) from None
        finally:
            self._opening.discard(opening)
        self._connections.add(connection)
        return connection

    async def _open(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        try:
            return await self._asyncpg.connect(*arguments, **options)
        except TimeoutError:
            raise unavailable("it does not answer", "does not answer") from None
        except (OSError, self._asyncpg.PostgresError) as error:
            raise unavailable(str(error)) from None


def _leave_closed(
    _connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
) -> None:
    """Take no connection from the pool that the server has ended meanwhile."""
    driver: Any = entry.driver_connection
    if driver is None or driver.is_closed():
        raise DisconnectionError


def _tell_lost(context: ExceptionContext) -> None:
    """Give up a connection whose statement has run out of time, or whose socket has failed."""
    if isinstance(context.original_exception, OSError):
        context.is_disconnect = True
        reason = str(context.original_exception) or "a statement takes too long"
        raise unavailable(reason)
