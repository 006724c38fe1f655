from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, bindparam, insert, literal, make_url, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.persistence import CannotOpenDatabaseError, Command, Database, Query, open_database
from seam.persistence.database import database_url as checked_url


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class CounterRow(Table, table=True):
    __tablename__ = "counter"

    name: str = Field(primary_key=True)
    count: int


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    counter: str = Field(foreign_key="shop.counter.name")


class OtherTable(SQLModel, registry=registry(metadata=MetaData(schema="forum"))):
    """Tables of a service named `forum`."""


class OtherCounterRow(OtherTable, table=True):
    __tablename__ = "counter"

    name: str = Field(primary_key=True)
    posts: int


COUNT = Query(select(col(CounterRow.count)).where(col(CounterRow.name) == bindparam("name")), int)
LOCK = Query(
    select(col(CounterRow.count))
    .where(col(CounterRow.name) == bindparam("name"))
    .with_for_update(),
    int,
)
ADD = Command(insert(CounterRow))
ADD_NOTE = Command(insert(NoteRow))
SET = Command(update(CounterRow).values(count=bindparam("number")))
PUT = Command(
    lambda insert: (
        insert(CounterRow)
        .values(name=bindparam("name"), count=bindparam("number"))
        .on_conflict_do_update(index_elements=["name"], set_={"count": bindparam("number")})
    )
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with the tables of `shop`."""
    async with open_database(database_url, Table.metadata) as database:
        yield database


async def count(database: Database, name: str = "visits") -> int | None:
    return await database.fetch_one(COUNT, name=name)


async def write(database: Database, number: int, name: str = "visits") -> None:
    await database.execute(PUT, name=name, number=number)


async def increment(database: Database, times: int) -> None:
    """Read, then write what was read plus one; each time in a transaction."""
    for _ in range(times):
        async with database.transaction() as transaction:
            read = await transaction.fetch_one(LOCK, name="visits")
            assert read is not None
            await asyncio.sleep(0)
            await transaction.execute(SET, number=read + 1)


async def test_what_a_transaction_did_is_seen_when_it_has_ended(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, name="visits", count=1)
        assert await count(database) is None
    assert await count(database) == 1


async def test_a_transaction_sees_its_own_work(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, name="visits", count=1)
        assert await transaction.fetch_one(COUNT, name="visits") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, asyncio.CancelledError])
async def test_a_transaction_that_raises_is_undone_and_the_error_passes(
    database: Database, error: type[BaseException]
) -> None:
    await write(database, 1)

    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(SET, number=2)
            raise error

    with pytest.raises(error):
        await fail()
    assert await count(database) == 1
    await write(database, 3)
    assert await count(database) == 3


async def test_a_cancelled_transaction_is_undone_and_lets_the_next_one_in(
    database: Database,
) -> None:
    await write(database, 1)
    written = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(SET, number=2)
            written.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await written.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await count(database) == 1
    await asyncio.wait_for(write(database, 3), timeout=5)


async def test_a_failed_statement_undoes_the_whole_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, name="orders", count=1)
            await transaction.execute(ADD_NOTE, number=1, counter="nothing")

    with pytest.raises(IntegrityError):
        await fail()
    assert await count(database, "orders") is None


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    await write(database, 1)
    async with database.transaction() as transaction:
        await transaction.execute(SET, number=2)
        assert await asyncio.wait_for(count(database), timeout=5) == 1


async def test_increments_of_many_tasks_are_all_counted(database: Database) -> None:
    await write(database, 0)
    await asyncio.gather(*(increment(database, 5) for _ in range(8)))
    assert await count(database) == 40


async def test_two_processes_that_write_the_same_database_wait_for_each_other(
    database_url: str,
) -> None:
    """Each has an engine of its own, as processes have: nothing but the database joins them."""
    async with (
        open_database(database_url, Table.metadata) as one,
        open_database(database_url, Table.metadata) as other,
    ):
        await write(one, 0)
        await asyncio.gather(increment(one, 30), increment(other, 30), increment(other, 30))
        assert await count(one) == await count(other) == 90


async def test_a_database_may_be_opened_for_the_first_time_by_several_processes_at_once(
    database_url: str,
) -> None:
    async def opened(number: int) -> None:
        async with open_database(database_url, Table.metadata) as database:
            await write(database, number, f"by {number}")

    await asyncio.gather(*(opened(number) for number in range(6)))
    async with open_database(database_url, Table.metadata) as database:
        assert [await count(database, f"by {number}") for number in range(6)] == list(range(6))


async def test_nobody_who_makes_a_sqlite_file_at_the_same_time_finds_it_locked(
    tmp_path: Path,
) -> None:
    """SQLite fails one of two who switch a new file to WAL, about once in ten of these rounds."""

    async def opened(url: str) -> None:
        async with open_database(url, Table.metadata):
            pass

    for number in range(40):
        url = f"sqlite:///{tmp_path}/{number}.db"
        await asyncio.gather(*(opened(url) for _ in range(6)))


async def test_what_was_written_is_there_when_the_database_is_opened_again(
    database_url: str,
) -> None:
    async with open_database(database_url, Table.metadata) as database:
        await write(database, 7)
    async with open_database(database_url, Table.metadata) as database:
        assert await count(database) == 7


async def test_services_in_one_postgresql_database_have_a_schema_each(postgres_server: Any) -> None:
    postgres_server.psql("CREATE DATABASE schemas;")
    url = make_url(postgres_server.get_uri()).set(database="schemas")
    location = url.render_as_string(hide_password=False)
    async with (
        open_database(location, Table.metadata) as shop,
        open_database(location, OtherTable.metadata) as forum,
    ):
        await write(shop, 1)
        await forum.execute(Command(insert(OtherCounterRow)), name="posts", posts=2)
        tables = text(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
            " WHERE table_schema IN ('shop', 'forum', 'public')"
        )
        found = await shop.fetch_all(Query(tables, str))
        assert set(found) == {"forum.counter", "shop.counter", "shop.note"}
        assert await count(shop) == 1


async def test_a_sqlite_database_is_one_file_whose_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "not" / "there yet" / "shop.db"
    async with open_database(f"sqlite:///{file}", Table.metadata) as database:
        await write(database, 1)
    assert [each.name for each in file.parent.iterdir()] == ["shop.db"]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
async def test_sqlite_loses_nothing_that_was_committed_and_keeps_references_whole(
    tmp_path: Path, pragma: str, value: object
) -> None:
    async with open_database(f"sqlite:///{tmp_path}/shop.db", Table.metadata) as database:
        asked = Query(text(f"PRAGMA {pragma}"), type(value))
        assert await database.fetch_one(asked) == value
        async with database.transaction() as transaction:
            assert await transaction.fetch_one(asked) == value


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "'' is not a database URL"),
        ("shop.db", "'shop.db' is not a database URL"),
        ("/var/lib/shop.db", "'/var/lib/shop.db' is not a database URL"),
        ("mysql://shop", "'mysql' is not a supported database"),
        ("postgres://shop", "'postgres' is not a supported database"),
        ("sqlite+pysqlite:///shop.db", "'sqlite+pysqlite' is not a supported database"),
    ],
)
async def test_a_url_of_no_supported_database_is_refused_with_what_was_expected(
    url: str, reason: str
) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///PATH or postgresql://") as caught:
        async with open_database(url, Table.metadata):
            raise AssertionError("it was opened")
    assert str(caught.value).startswith(reason)


def test_a_url_without_a_number_for_its_port_is_refused_with_what_was_expected() -> None:
    with pytest.raises(ValueError, match="expected sqlite:///PATH or postgresql://"):
        checked_url("postgresql://user@host:port/shop")


@pytest.mark.parametrize(
    ("url", "unknown"),
    [
        ("postgresql://host/shop?sslmod=require", "sslmod"),
        ("postgresql://host/shop?sslmode=require&pool=3", "pool"),
        ("sqlite:///shop.db?mode=memory", "mode"),
    ],
)
def test_a_parameter_that_no_url_has_is_named_with_those_that_there_are(
    url: str, unknown: str
) -> None:
    with pytest.raises(ValueError, match=f"has no parameter '{unknown}'; expected "):
        checked_url(url)


async def test_a_file_that_is_no_database_fails_to_open_and_is_left_as_it_is(
    tmp_path: Path,
) -> None:
    file = tmp_path / "shop.db"
    content = b"These are my notes, and not a database. " * 100
    file.write_bytes(content)
    with pytest.raises(CannotOpenDatabaseError, match=r"shop\.db: file is not a database"):
        async with open_database(f"sqlite:///{file}", Table.metadata):
            raise AssertionError("it was opened")
    assert file.read_bytes() == content


async def test_a_closed_database_leaves_no_connection_behind(postgres_server: Any) -> None:
    postgres_server.psql("CREATE DATABASE closing;")
    url = make_url(postgres_server.get_uri()).set(database="closing")

    def connections() -> int:
        counted = postgres_server.psql(
            "COPY (SELECT count(*) FROM pg_stat_activity WHERE datname = 'closing') TO STDOUT;"
        )
        return int(counted)

    opened = open_database(url.render_as_string(hide_password=False), Table.metadata)
    async with opened as database:
        await asyncio.gather(*(write(database, number, f"by {number}") for number in range(4)))
        assert connections() > 0
    for _ in range(200):
        if not connections():
            break
        # A server process ends a moment after its connection.
        await asyncio.sleep(0.05)
    assert connections() == 0


async def test_a_statement_may_be_another_one_for_each_kind_of_database(
    database: Database, database_url: str
) -> None:
    words = {"sqlite": "a file", "postgresql": "a server"}
    query = Query({kind: select(literal(word)) for kind, word in words.items()}, str)
    kind = make_url(database_url).get_backend_name()
    assert await database.fetch_one(query) == words[kind]
    async with database.transaction() as transaction:
        assert await transaction.fetch_one(query) == words[kind]
