"""PostgreSQL: one schema for each service, reached by asyncpg.

A statement of its own is one round trip: the server commits it by itself. A connection prepares a
statement when it runs it for the first time, and keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

import asyncpg
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import MetaData, NullPool
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from seam.persistence.compilation import Compiled
from seam.persistence.failures import DriverError, TransactionEndedError, unavailable
from seam.persistence.postgresql_pool import Connection, Pool, PoolLimits
from seam.persistence.statements import Command, Query

R = TypeVar("R")

CONNECT_TIMEOUT: Final = 2.0
"""Seconds to connect while calls wait for it."""

START_TIMEOUT: Final = 10.0
"""Seconds to connect, and for one statement, when the process starts."""

LONG_PART: Final = 4
"""Long statements take one in so many of the connections that calls share."""

BUSY: Final = "is too busy"

_CACHED_STATEMENTS: Final = 512

_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    ValueError,
)
"""What a driver's call raises. `OSError` holds `TimeoutError`; of a number of very many digits, it
cannot even say that it is too large."""


class PostgresBackend:
    """See `Backend`."""

    interval = 0.5
    patience = 0.6

    def __init__(
        self,
        location: URL,
        _: MetaData,
        prepare: Callable[[SqlConnection], None],
        limits: PoolLimits,
    ) -> None:
        """Use the database at `location` within `limits`, once `prepare` has checked it."""
        self._location = location
        self._check_tables = prepare
        self._limits = limits
        # The last one is `_own`.
        self._pool = Pool(self._connect, limits.connections - 1, limits.wait)
        self._places = asyncio.Semaphore(max(1, (limits.connections - 1) // LONG_PART))
        self._own: Connection = None

    async def prepare(self) -> None:
        """Check what it holds."""
        engine = create_async_engine(
            self._location.set(drivername="postgresql+asyncpg"),
            hide_parameters=True,
            poolclass=NullPool,
            connect_args={"async_creator_fn": self._connect_at_start},
        )
        async with engine.begin() as connection:
            await connection.run_sync(self._check_tables)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._own is not None:
            self._own.terminate()
        await self._pool.close()

    async def ask(self) -> None:
        """See `Backend`. Asks on a connection of its own."""
        own, self._own = self._own, None
        try:
            if own is None or own.is_closed():
                own = await self._connect()
            await own.fetchval("SELECT 1")
        except BaseException as error:
            if own is not None:
                own.terminate()
            if isinstance(error, _ERRORS) and not isinstance(error, TimeoutError):
                raise DriverError(error, "SELECT 1", lost=True) from None
            raise
        self._own = own

    def cut(self) -> None:
        """See `Backend`."""
        self._pool.cut()

    def restore(self) -> None:
        """See `Backend`."""
        self._pool.restore()

    async def fetch(self, query: Query[R], parameters: Mapping[str, object]) -> list[R]:
        """See `Backend`."""
        compiled = query.compiled("postgresql", parameters)
        arguments = compiled.arguments(parameters)
        long = query.long
        if long:
            await self._take_place()
        try:
            connection = self._pool.idle() or await self._pool.take()
            try:
                read = connection.reads.get(compiled.sql) or await connection.read(compiled.sql)
                rows = await read(*arguments)
            except asyncpg.InvalidCachedStatementError:
                rows = await self._fetch_anew(connection, compiled.sql, arguments)
            except BaseException as error:
                self._give_up(connection, error, compiled.sql)
            self._pool.give(connection)
        finally:
            if long:
                self._places.release()
        return query.records(compiled, rows)

    async def _fetch_anew(
        self, connection: Connection, sql: str, arguments: Sequence[Any]
    ) -> Sequence[Any]:
        """Read after a table has changed, so that what was prepared before is of no use."""
        connection.reads.clear()
        try:
            rows: Sequence[Any] = await connection.fetch(sql, *arguments)
        except BaseException as error:
            self._give_up(connection, error, sql)
        return rows

    async def execute(self, command: Command, parameters: Mapping[str, object]) -> int:
        """See `Backend`."""
        compiled = command.compiled("postgresql", parameters)
        arguments = compiled.arguments(parameters)
        connection = self._pool.idle() or await self._pool.take()
        try:
            status = await connection.execute(compiled.sql, *arguments)
        except BaseException as error:
            self._give_up(connection, error, compiled.sql)
        self._pool.give(connection)
        return _count(status)

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Backend`. The driver makes one transaction of it."""
        compiled = command.compiled_for_all("postgresql", rows)
        arguments = [compiled.arguments(row) for row in rows]
        connection = self._pool.idle() or await self._pool.take()
        try:
            await connection.executemany(compiled.sql, arguments)
        except BaseException as error:
            self._give_up(connection, error, compiled.sql)
        self._pool.give(connection)

    async def begin(self, *, alone: bool) -> PostgresWork:  # noqa: ARG002
        """See `Backend`. Transactions of a server share nothing."""
        connection = self._pool.idle() or await self._pool.take()
        try:
            await connection.execute("BEGIN")
        except BaseException as error:
            self._give_up(connection, error, "BEGIN")
        return PostgresWork(connection)

    async def commit(self, work: PostgresWork) -> None:
        """See `Backend`."""
        status = await work.status("COMMIT")
        if status != "COMMIT":
            # Of a transaction in which a statement has failed, whatever its caller made of that.
            raise unavailable(f"a transaction was answered with {status} instead of COMMIT")
        work.ended = True
        self._pool.give(work.connection)
        for callback in work.callbacks:
            try:
                callback()
            except Exception as error:
                # It is no failure of the commit, nor of the other callbacks.
                told = {"message": f"Exception in callback {callback!r}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)

    async def rollback(self, work: PostgresWork) -> None:
        """See `Backend`."""
        if work.ended:
            return
        work.ended = True
        connection = work.connection
        if connection.is_closed() or work.broken:
            self._pool.give_up(connection)
            return
        try:
            await connection.execute("ROLLBACK")
        except BaseException as error:
            self._pool.give_up(connection)
            if isinstance(error, _ERRORS):
                return
            raise
        self._pool.give(connection)

    async def _take_place(self) -> None:
        """Wait for one of the places of long statements."""
        try:
            async with asyncio.timeout(self._limits.wait):
                await self._places.acquire()
        except TimeoutError:
            raise unavailable("other long statements have not ended in time", BUSY) from None

    def _give_up(self, connection: Connection, error: BaseException, sql: str) -> NoReturn:
        if not isinstance(error, _ERRORS):
            # It was cancelled, or could not even be sent.
            self._pool.give_up(connection)
            raise error
        lost = connection.is_closed()
        if isinstance(error, OSError):
            self._pool.give_up(connection)
        else:
            self._pool.give(connection)
        raise DriverError(error, sql, lost=lost) from None

    async def _connect(self) -> Connection:
        # No timer here: the server ends what takes too long, and the monitor finds out whether
        # there is a server.
        return await self._open(CONNECT_TIMEOUT, self._limits.statement)

    async def _connect_at_start(self, *_: object, **__: object) -> Connection:
        return await self._open(START_TIMEOUT, START_TIMEOUT, answer_within=START_TIMEOUT)

    async def _open(
        self, within: float, statement_timeout: float, *, answer_within: float | None = None
    ) -> Connection:
        dsn = self._location.render_as_string(hide_password=False)
        try:
            return await asyncpg.connect(
                dsn,
                connection_class=PreparingConnection,
                timeout=within,
                command_timeout=answer_within,
                statement_cache_size=_CACHED_STATEMENTS,
                max_cached_statement_lifetime=0,
                server_settings={"statement_timeout": f"{statement_timeout * 1000:.0f}"},
            )
        except TimeoutError:
            raise unavailable("it does not answer", "does not answer") from None
        except _ERRORS as error:
            raise unavailable(str(error)) from None


class PreparingConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that keeps what it has prepared for reading at hand.

    The driver's own cache, which all other statements use, costs a read a tenth of its time.
    """

    __slots__ = ("reads",)

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 (the driver's own)
        """Begin with nothing prepared."""
        super().__init__(*arguments)
        self.reads: dict[str, Callable[..., Awaitable[Sequence[Any]]]] = {}

    async def read(self, sql: str) -> Callable[..., Awaitable[Sequence[Any]]]:
        """Prepare a statement; gives what fetches its rows."""
        if len(self.reads) >= _CACHED_STATEMENTS:
            # Nothing of theirs but memory is lost; statements are made once, and are few.
            self.reads.clear()
        statement = await self.prepare(sql)
        fetch: Callable[..., Awaitable[Sequence[Any]]] = statement.fetch
        self.reads[sql] = fetch
        return fetch


class PostgresWork:
    """See `Work`.

    Attributes:
        connection: what it runs on.
        broken: a statement was left in the middle.
        ended: it was committed or undone.
        callbacks: what is called after the commit.
    """

    dialect = "postgresql"

    def __init__(self, connection: Connection) -> None:
        """Run statements on `connection`, which is in a transaction."""
        self.connection = connection
        self.broken = False
        self.ended = False
        self.callbacks: list[Callable[[], object]] = []

    async def rows(self, compiled: Compiled, arguments: Sequence[Any]) -> Sequence[Any]:
        """See `Work`."""
        self._check()
        try:
            rows: Sequence[Any] = await self.connection.fetch(compiled.sql, *arguments)
        except BaseException as error:
            self._failed(error, compiled.sql)
        return rows

    async def run(self, compiled: Compiled, arguments: Sequence[Any]) -> int:
        """See `Work`."""
        return _count(await self.status(compiled.sql, arguments))

    async def run_many(self, compiled: Compiled, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Work`."""
        self._check()
        arguments = [compiled.arguments(row) for row in rows]
        try:
            await self.connection.executemany(compiled.sql, arguments)
        except BaseException as error:
            self._failed(error, compiled.sql)

    async def control(self, sql: str) -> None:
        """See `Work`."""
        await self.status(sql)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """See `Work`."""
        self.callbacks.append(callback)

    async def status(self, sql: str, arguments: Sequence[Any] = ()) -> str:
        """What the server says that a statement has done, such as `UPDATE 3`."""
        self._check()
        try:
            status: str = await self.connection.execute(sql, *arguments)
        except BaseException as error:
            self._failed(error, sql)
        return status

    def _check(self) -> None:
        if self.ended:
            # Its connection may be in the middle of another one by now.
            raise TransactionEndedError

    def _failed(self, error: BaseException, sql: str) -> NoReturn:
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            # The driver has forgotten the statement, and what comes next prepares it anew.
            raise unavailable("a table was changed in the middle of a transaction") from None
        self.broken = self.broken or not isinstance(error, asyncpg.PostgresError)
        if not isinstance(error, _ERRORS):
            raise error
        raise DriverError(error, sql, lost=self.connection.is_closed()) from None


def _count(status: str) -> int:
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
