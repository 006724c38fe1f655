"""The ways of running an operation: in a repository, and without one.

Each way does it so many times, 16 at a time where its driver lets go of the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from benchmarks.repositories.operation import Operation, Statements
from seam.persistence import Database

CONCURRENT: Final = 16

REPOSITORY: Final = "repository"
DRIVER: Final = "driver"
CORE: Final = "SQLAlchemy Core"
MODEL: Final = "SQLModel session"


class Repeated:
    """Does an operation over and over, with arguments that were made before."""

    def __init__(
        self, make: Callable[[int], Any], run: Callable[[Iterable[Any]], Awaitable[None]]
    ) -> None:
        """Call `run` with what `make` makes of the numbers from 0."""
        self._numbers = count()
        self._make = make
        self._run = run
        self._prepared: list[Any] = []

    def prepare(self, times: int) -> None:
        """Make the arguments for so many times."""
        self._prepared = [self._make(number) for number in islice(self._numbers, times)]

    async def run(self, _: int) -> None:
        """Do it as often as it was prepared."""
        await self._run(self._prepared)


WaysOf: TypeAlias = Callable[[Operation], dict[str, Repeated]]
"""The ways without a repository, by name; the driver is the first."""


def with_repository(database: Database, operation: Operation) -> Repeated:
    """As a handler does it."""
    return _concurrently(operation, lambda _, arguments: operation.repository(database, *arguments))


@contextmanager
def sqlite_ways(file: Path, schema: str) -> Iterator[WaysOf]:
    """Ways for the file of a service: nothing waits for a thread, so one at a time is all there is.

    Args:
        file: the file.
        schema: what the tables' metadata calls it.
    """
    engine = create_engine(f"sqlite:///{file}.empty")

    @event.listens_for(engine, "connect")
    def attach(connection: Any, _: object) -> None:  # noqa: ANN401
        connection.execute(f"ATTACH DATABASE '{file}' AS {schema}")

    with closing(sqlite3.connect(file, isolation_level=None, cached_statements=256)) as connection:
        yield lambda operation: {
            DRIVER: _sqlite_driver(connection, operation),
            CORE: _in_turns(operation, partial(_core, engine, operation)),
            MODEL: _in_turns(operation, partial(_model, engine, operation)),
        }
    engine.dispose()


@asynccontextmanager
async def postgres_ways(url: str, schema: str) -> AsyncIterator[WaysOf]:
    """Ways for a schema of a database, each with as many connections as it can use."""
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=CONCURRENT
    )
    connections = [
        await asyncpg.connect(url, server_settings={"search_path": schema})
        for _ in range(CONCURRENT)
    ]

    yield lambda operation: {
        DRIVER: _asyncpg_driver(connections, operation),
        CORE: _concurrently(operation, partial(_async_core, engine, operation)),
        MODEL: _concurrently(operation, partial(_async_model, engine, operation)),
    }
    for connection in connections:
        await connection.close()
    await engine.dispose()


def _concurrently(operation: Operation, call: Callable[[int, Any], Awaitable[object]]) -> Repeated:
    """Calls with the number of their task and their arguments."""
    return _concurrent(operation.arguments, call)


def _concurrent(
    arguments: Callable[[int], Any], call: Callable[[int, Any], Awaitable[object]]
) -> Repeated:
    async def run(prepared: Iterable[Any]) -> None:
        remaining = iter(prepared)

        async def task(number: int) -> None:
            for each in remaining:
                await call(number, each)

        await asyncio.gather(*map(task, range(CONCURRENT)))

    return Repeated(arguments, run)


def _in_turns(operation: Operation, call: Callable[..., object]) -> Repeated:
    async def run(prepared: Iterable[Any]) -> None:
        for arguments in prepared:
            call(*arguments)

    return Repeated(operation.arguments, run)


def _sqlite_driver(connection: sqlite3.Connection, operation: Operation) -> Repeated:
    def statements(number: int) -> Statements:
        made = operation.driver(*operation.arguments(number))
        return [(sql.replace("$", "?"), values) for sql, values in made]

    async def read(prepared: Iterable[Statements]) -> None:
        for ((sql, values),) in prepared:
            connection.execute(sql, values).fetchall()

    async def write(prepared: Iterable[Statements]) -> None:
        for each in prepared:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in each:
                connection.execute(sql, values).fetchall()
            connection.execute("COMMIT")

    return Repeated(statements, write if operation.writes else read)


def _asyncpg_driver(connections: Sequence[Any], operation: Operation) -> Repeated:
    def statements(number: int) -> Statements:
        return operation.driver(*operation.arguments(number))

    async def read(number: int, prepared: Statements) -> None:
        ((sql, values),) = prepared
        await connections[number].fetch(sql, *values)

    async def write(number: int, prepared: Statements) -> None:
        async with connections[number].transaction():
            for sql, values in prepared:
                await connections[number].fetch(sql, *values)

    return _concurrent(statements, write if operation.writes else read)


def _core(engine: Engine, operation: Operation, *arguments: object) -> None:
    with engine.begin() if operation.writes else engine.connect() as connection:
        operation.core(connection, *arguments)


def _model(engine: Engine, operation: Operation, *arguments: object) -> None:
    with Session(engine) as session:
        operation.model(session, *arguments)
        if operation.writes:
            session.commit()


async def _async_core(engine: AsyncEngine, operation: Operation, _: int, arguments: Any) -> None:  # noqa: ANN401
    opening = engine.begin() if operation.writes else engine.connect()
    async with opening as connection:
        await connection.run_sync(operation.core, *arguments)


async def _async_model(engine: AsyncEngine, operation: Operation, _: int, arguments: Any) -> None:  # noqa: ANN401
    async with AsyncSession(engine) as session:
        await session.run_sync(operation.model, *arguments)
        if operation.writes:
            await session.commit()
