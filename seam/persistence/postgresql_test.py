"""Connections to PostgreSQL: none is lost, none is left in the middle of something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import MetaData, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import StatusError
from seam.persistence import (
    DEFAULT_POOL,
    CannotOpenDatabaseError,
    Command,
    Database,
    PoolLimits,
    Query,
    open_database,
)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)


ADD = Command(insert(NoteRow))
NUMBERS = Query(select(col(NoteRow.number)).order_by(col(NoteRow.number)), int)
SLEEP = Query(text("SELECT 1 FROM (SELECT pg_sleep(60)) AS slept"), int)
SLEEPING = (
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active'"
)
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"
OTHERS = Query(text(f"{SLEEPING} AND pid <> pg_backend_pid()"), int)

SHARED = DEFAULT_POOL.connections - 1
"""Connections that calls share."""


@pytest.fixture
async def database(postgres_server: Any) -> AsyncIterator[Database]:
    url = make_url(postgres_server.get_uri()).render_as_string(hide_password=False)
    async with open_database(url, Table.metadata) as database:
        yield database
    postgres_server.psql("DROP SCHEMA shop CASCADE;")


async def until_nobody_sleeps(database: Database) -> None:
    async with asyncio.timeout(20):
        while await database.fetch_one(OTHERS):
            await asyncio.sleep(0.02)


async def test_a_statement_that_nobody_waits_for_any_more_is_ended_at_the_server(
    database: Database,
) -> None:
    for _ in range(2 * SHARED):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await database.fetch_one(SLEEP)
    await until_nobody_sleeps(database)
    found = await asyncio.gather(*(database.fetch_all(NUMBERS) for _ in range(2 * SHARED)))
    assert found == [[]] * 2 * SHARED


async def test_a_transaction_that_is_cancelled_is_undone_and_its_connection_used_again(
    database: Database,
) -> None:
    async def hang(number: int) -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=number)
            await transaction.fetch_one(SLEEP)

    for _ in range(2):
        tasks = [asyncio.create_task(hang(number)) for number in range(SHARED)]
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await until_nobody_sleeps(database)
    await asyncio.gather(*(database.execute(ADD, number=n) for n in range(2 * SHARED)))
    assert await database.fetch_all(NUMBERS) == list(range(2 * SHARED))


async def test_a_statement_that_runs_out_of_time_is_unavailable_and_ended_at_the_server(
    postgres_server: Any,
) -> None:
    url, limits = postgres_server.get_uri(), PoolLimits(statement=0.1)
    async with open_database(url, Table.metadata, pool=limits) as database:
        for _ in range(2 * SHARED):
            with pytest.raises(StatusError, match="shop is not available"):
                await database.fetch_one(SLEEP)
        assert await database.fetch_all(NUMBERS) == []
        assert not await database.fetch_one(OTHERS)
    postgres_server.psql("DROP SCHEMA shop CASCADE;")


async def test_a_call_waits_for_a_connection_for_a_bounded_time(postgres_server: Any) -> None:
    url, limits = postgres_server.get_uri(), PoolLimits(connections=3, wait=0.1)
    async with open_database(url, Table.metadata, pool=limits) as database:
        tasks = [asyncio.create_task(database.fetch_one(SLEEP)) for _ in range(2)]
        async with asyncio.timeout(10):
            while True:
                try:
                    await database.fetch_all(NUMBERS)
                except StatusError:
                    break
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await until_nobody_sleeps(database)
        assert await database.fetch_all(NUMBERS) == []
    postgres_server.psql("DROP SCHEMA shop CASCADE;")


@pytest.mark.parametrize("connections", [2, 3, 5])
async def test_there_are_never_more_connections_to_a_server_than_its_pool_may_have(
    postgres_server: Any, connections: int
) -> None:
    url = make_url(postgres_server.get_uri()).render_as_string(hide_password=False)
    limits = PoolLimits(connections=connections, wait=20)
    counted = [0]

    async def count(watcher: Any) -> None:
        while True:
            counted.append(await watcher.fetchval(CONNECTIONS))
            await asyncio.sleep(0)

    watcher = await asyncio.wait_for(asyncpg.connect(url), 10)
    try:
        named = f"{url}&application_name=counted"
        async with open_database(named, Table.metadata, pool=limits) as database:
            counting = asyncio.create_task(count(watcher))

            async def work(number: int) -> None:
                async with database.transaction() as transaction:
                    await transaction.execute(ADD, number=number)
                    await database.problem()
                await database.fetch_all(NUMBERS)

            async with asyncio.timeout(20):
                # The last transaction of all that wait for one another needs none beside it.
                for number in range(60):
                    await asyncio.gather(*(work(60 * number + each) for each in range(60)))
                    if max(counted) == connections:
                        break
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
    finally:
        await watcher.close()
        postgres_server.psql("DROP SCHEMA shop CASCADE;")
    assert max(counted) == connections


async def test_long_statements_leave_connections_to_others(postgres_server: Any) -> None:
    url, limits = postgres_server.get_uri(), PoolLimits(connections=9, wait=10)
    long = Query(text("SELECT 1 FROM (SELECT pg_sleep(60)) AS slept"), int, long=True)
    async with open_database(url, Table.metadata, pool=limits) as database:
        tasks = [asyncio.create_task(database.fetch_one(long)) for _ in range(20)]
        async with asyncio.timeout(10):
            while await database.fetch_one(OTHERS) != 2:
                await asyncio.sleep(0)
        for _ in range(20):
            assert await database.fetch_all(NUMBERS) == []
            assert await database.fetch_one(OTHERS) == 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await until_nobody_sleeps(database)
    postgres_server.psql("DROP SCHEMA shop CASCADE;")


async def test_who_waits_too_long_for_other_long_statements_is_told_so(
    postgres_server: Any,
) -> None:
    url, limits = postgres_server.get_uri(), PoolLimits(connections=2, wait=0.1)
    long = Query(text("SELECT 1 FROM (SELECT pg_sleep(60)) AS slept"), int, long=True)
    async with open_database(url, Table.metadata, pool=limits) as database:
        first = asyncio.create_task(database.fetch_one(long))
        await asyncio.sleep(0)
        with pytest.raises(StatusError, match="shop is not available"):
            await database.fetch_one(long)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    postgres_server.psql("DROP SCHEMA shop CASCADE;")


async def test_a_savepoint_lets_a_transaction_go_on_after_a_broken_constraint(
    database: Database,
) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)

        async def fail() -> None:
            async with transaction.savepoint():
                await transaction.execute(ADD, number=2)
                await transaction.execute(ADD, number=1)

        with pytest.raises(IntegrityError):
            await fail()
        await transaction.execute(ADD, number=3)
    assert await database.fetch_all(NUMBERS) == [1, 3]


async def test_a_transaction_that_goes_on_after_an_error_is_not_taken_for_committed(
    database: Database,
) -> None:
    async def swallow() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=1)
            with pytest.raises(IntegrityError):
                await transaction.execute(ADD, number=1)

    with pytest.raises(StatusError):
        await swallow()
    assert await database.fetch_all(NUMBERS) == []


async def test_a_statement_of_its_own_is_one_round_trip(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = asyncpg.Connection._execute
    simple = asyncpg.Connection.execute

    async def note(self: Any, query: str, *rest: Any, **options: Any) -> Any:
        sent.append(query.split(maxsplit=1)[0])
        return await execute(self, query, *rest, **options)

    async def note_simple(self: Any, query: str, *arguments: Any) -> Any:
        if not arguments:
            sent.append(query)
        return await simple(self, query, *arguments)

    monkeypatch.setattr(asyncpg.Connection, "_execute", note)
    monkeypatch.setattr(asyncpg.Connection, "execute", note_simple)
    await database.fetch_all(NUMBERS)
    await database.execute(ADD, number=1)
    assert [each for each in sent if each != "SELECT"] == ["INSERT"]
    sent.clear()
    async with database.transaction() as transaction:
        await transaction.fetch_all(NUMBERS)
    assert [each for each in sent if each != "SELECT"] == ["BEGIN", "COMMIT"]


async def test_many_rows_are_all_written_or_none(database: Database) -> None:
    rows = [{"number": number} for number in range(1_000)]
    with pytest.raises(IntegrityError):
        await database.execute_many(ADD, [*rows, {"number": 7}])
    assert await database.fetch_all(NUMBERS) == []
    await database.execute_many(ADD, rows)
    assert len(await database.fetch_all(NUMBERS)) == 1_000


async def test_a_table_that_was_changed_under_a_prepared_statement_fails_no_call(
    database: Database, postgres_server: Any
) -> None:
    await database.execute(ADD, number=1)
    assert await database.fetch_all(NUMBERS) == [1]
    postgres_server.psql("ALTER TABLE shop.note ALTER COLUMN number TYPE bigint;")
    assert await database.fetch_all(NUMBERS) == [1]


async def test_a_wrong_value_of_a_url_s_parameter_fails_the_start(postgres_server: Any) -> None:
    url = f"{make_url(postgres_server.get_uri()).render_as_string(hide_password=False)}&sslmode=x"
    with pytest.raises(CannotOpenDatabaseError, match="sslmode"):
        async with open_database(url, Table.metadata):
            raise AssertionError("it was opened")
