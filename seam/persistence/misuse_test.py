"""Values that no column takes, and transactions used wrongly: the same defect on every database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, bindparam, insert, select
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import Code, StatusError
from seam.persistence import Command, Database, Query, Transaction, open_database


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    words: str = ""


ADD = Command(insert(NoteRow))
ADDED = Query(insert(NoteRow).returning(col(NoteRow.number)), int)
NUMBERS = Query(select(col(NoteRow.number)).order_by(col(NoteRow.number)), int)
FIND = Query(select(col(NoteRow.number)).where(col(NoteRow.number) == bindparam("select")), int)
BY_WORDS = Query(select(col(NoteRow.number)).where(col(NoteRow.words) == bindparam("from")), int)
WORDS = Query(select(col(NoteRow.words)), str)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, Table.metadata) as database:
        yield database


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (FIND, 2**63),
        (FIND, -(2**63) - 1),
        (FIND, 10**10_000),
        (FIND, object()),
        (FIND, ["secret"]),
        (BY_WORDS, "secret \ud800"),
        (BY_WORDS, {"secret": 1}),
    ],
    ids=["large", "small", "digits", "object", "list", "surrogate", "mapping"],
)
async def test_a_value_that_cannot_be_handed_over_is_a_defect_that_tells_no_data(
    database: Database, query: Query[int], value: Any
) -> None:
    name = "select" if query is FIND else "from"
    column = {"select": "number", "from": "words"}[name]
    row: dict[str, Any] = {"number": 2, "words": "", column: value}

    async def in_transaction(transaction: Transaction | Database) -> None:
        with pytest.raises(ProgrammingError) as caught:
            await transaction.execute(ADD, **row)
        assert "secret" not in str(caught.value)

    with pytest.raises(ProgrammingError) as caught:
        await database.fetch_all(query, **{name: value})
    assert "secret" not in str(caught.value)
    await in_transaction(database)
    with pytest.raises(ProgrammingError):
        await database.execute_many(ADD, [{"number": 3, "words": ""}, row])
    await database.execute(ADD, number=1)
    assert await database.fetch_all(NUMBERS) == [1]


async def test_a_text_in_a_file_that_is_none_is_a_defect(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    async with open_database(url, Table.metadata) as database:
        with sqlite3.connect(tmp_path / "shop.db") as other:
            other.execute("INSERT INTO note VALUES (1, CAST(x'736563726574ff' AS TEXT))")
        other.close()
        with pytest.raises(ProgrammingError) as caught:
            await database.fetch_all(WORDS)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("other", [{"number": 2, "words": "lost"}, {"words": "x"}, {}])
async def test_rows_that_do_not_give_the_same_columns_are_refused(
    database: Database, other: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match="parameters"):
        await database.execute_many(ADD, [{"number": 1}, other])
    async with database.transaction() as transaction:
        with pytest.raises(TypeError, match="parameters"):
            await transaction.execute_many(ADD, [{"number": 1}, other])
    assert await database.fetch_all(NUMBERS) == []


async def test_a_transaction_that_has_ended_runs_nothing(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)
    for later in (
        transaction.execute(ADD, number=2),
        transaction.execute_many(ADD, [{"number": 3}]),
        transaction.fetch_all(NUMBERS),
        transaction.savepoint().__aenter__(),
    ):
        with pytest.raises(RuntimeError, match="has ended"):
            await later
    assert await database.fetch_all(NUMBERS) == [1]


async def test_a_task_that_writes_beside_its_own_transaction_is_told_so_at_once(
    database: Database,
) -> None:
    async def begin() -> None:
        async with database.transaction():
            raise AssertionError("it was begun")

    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)
        for write in (
            begin(),
            database.execute(ADD, number=2),
            database.execute_many(ADD, [{"number": 3}]),
            database.fetch_one(ADDED, number=4),
        ):
            with pytest.raises(RuntimeError, match=r"of shop already: .* savepoint\(\)"):
                # Waiting for itself, it would be UNAVAILABLE after two seconds.
                await write
        # What only reads is given what is committed.
        assert await database.fetch_all(NUMBERS) == []
        async with transaction.savepoint():
            await transaction.execute(ADD, number=5)
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=6)
    assert await database.fetch_all(NUMBERS) == [1, 5, 6]


async def test_a_task_may_write_again_however_its_transaction_has_ended(
    database: Database,
) -> None:
    async def fail(transaction: Transaction) -> None:
        await transaction.execute(ADD, number=1)
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as transaction:
                await fail(transaction)
    assert await database.execute(ADD, number=1) == 1
    with pytest.raises(IntegrityError):
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=1)
    assert await database.execute(ADD, number=2) == 1


async def test_another_task_may_write_while_one_is_in_a_transaction(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)
        other = asyncio.create_task(database.execute(ADD, number=2))
        await asyncio.sleep(0)
    assert await other == 1
    assert await database.fetch_all(NUMBERS) == [1, 2]


async def test_what_is_called_after_a_commit_and_raises_fails_neither_it_nor_the_others(
    database: Database,
) -> None:
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    called: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)
        transaction.after_commit(fail)
        transaction.after_commit(lambda: called.append(1))
    assert await database.fetch_all(NUMBERS) == [1]
    assert called == [1]
    assert [type(each["exception"]) for each in told] == [ZeroDivisionError]


async def test_a_table_that_is_changed_while_it_is_used_fails_no_transaction_for_long(
    postgres_server: Any,
) -> None:
    async with open_database(postgres_server.get_uri(), Table.metadata) as database:

        async def read() -> list[int]:
            async with database.transaction() as transaction:
                return await transaction.fetch_all(NUMBERS)

        await read()
        postgres_server.psql("ALTER TABLE shop.note ALTER COLUMN number TYPE integer;")
        with pytest.raises(StatusError) as caught:
            await read()
        assert caught.value.code is Code.UNAVAILABLE
        assert await read() == []
    postgres_server.psql("DROP SCHEMA shop CASCADE;")
