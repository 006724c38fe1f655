"""A statement knows who asks, on every database and however it is run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, MetaData, bindparam, insert, or_, select, update
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.persistence import Command, Database, Query, Text, current_subject, open_database
from seam.persistence.sqlite_work import MANY
from seam.testing import signed_in


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    owner: str = Field(sa_column=Column(Text("owner", 255), nullable=False))


ADD = Command(insert(NoteRow).values(number=bindparam("number"), owner=current_subject()))
OWNER = Query(select(col(NoteRow.owner)).where(col(NoteRow.number) == bindparam("number")), str)
MINE = Query(
    select(col(NoteRow.number))
    .where(col(NoteRow.owner) == current_subject())
    .order_by(col(NoteRow.number)),
    int,
)
TAKE = Command(
    update(NoteRow)
    .where(
        col(NoteRow.number) == bindparam("of"),
        or_(col(NoteRow.owner) == "", col(NoteRow.owner) == current_subject()),
    )
    .values(owner=current_subject())
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database without notes."""
    async with open_database(database_url, Table.metadata) as opened:
        yield opened


async def test_a_statement_that_is_made_once_is_filled_with_each_call_s_own_subject(
    database: Database,
) -> None:
    for number, subject in enumerate(["ann", "bob", "ann", "Ann", "ä" * 255]):
        with signed_in(subject):
            await database.execute(ADD, number=number)
    for subject, expected in (("ann", [0, 2]), ("bob", [1]), ("Ann", [3]), ("ä" * 255, [4])):
        with signed_in(subject):
            assert await database.fetch_all(MINE) == expected
            async with database.transaction() as transaction:
                assert await transaction.fetch_all(MINE) == expected


async def test_where_nobody_is_signed_in_and_off_a_call_the_subject_is_empty(
    database: Database,
) -> None:
    await database.execute(ADD, number=1)
    with signed_in(""):
        await database.execute(ADD, number=2)
        assert await database.fetch_all(MINE) == [1, 2]
    assert await database.fetch_one(OWNER, number=1) == ""


async def test_one_of_many_who_take_the_same_row_gets_it(database: Database) -> None:
    await database.execute(ADD, number=1)

    async def take(subject: str) -> int:
        with signed_in(subject):
            return await database.execute(TAKE, of=1)

    subjects = [f"customer {number}" for number in range(16)]
    taken = await asyncio.gather(*map(take, subjects))
    assert sum(taken) == 1
    assert await database.fetch_one(OWNER, number=1) == subjects[taken.index(1)]


@pytest.mark.parametrize("count", [2, MANY + 1])
async def test_many_rows_at_once_get_the_subject_too(database: Database, count: int) -> None:
    rows = [{"number": number} for number in range(count)]
    with signed_in("ann"):
        await database.execute_many(ADD, rows)
        assert await database.fetch_all(MINE) == list(range(count))


async def test_a_subject_that_no_column_holds_finds_nothing(database: Database) -> None:
    await database.execute(ADD, number=1)
    with signed_in("a" * 256):
        assert await database.fetch_all(MINE) == []


async def test_nobody_gives_the_subject_as_a_parameter(database: Database) -> None:
    with pytest.raises(TypeError, match="current_subject are not known"):
        await database.fetch_all(MINE, current_subject="ann")
