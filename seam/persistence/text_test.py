from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, MetaData, update
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select

from seam.contract import Code, StatusError
from seam.persistence import Database, Text, open_database, upsert


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class WordRow(Table, table=True):
    __tablename__ = "word"

    word: str = Field(sa_column=Column(Text("word", 8, by_code_point=True), primary_key=True))
    meaning: str = Field(sa_column=Column(Text("meaning", 20), nullable=False))


GOOD = ["", "a", "ab cd", "x" * 8, "ß" * 8, "😀" * 8, "\x01\x7f", "\uffff", "é"]
BAD = {
    "a\0b": "holds a NUL character",
    "\0": "holds a NUL character",
    "a\ud800": "holds half of a surrogate pair",
    "\udfff": "holds half of a surrogate pair",
    "x" * 9: "has 9 characters; expected 0 to 8",
    "x" * 100_000: "has 100000 characters; expected 0 to 8",
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, Table.metadata) as database:
        async with database.transaction() as session:
            session.add_all(WordRow(word=word, meaning="good") for word in GOOD)
        yield database


async def test_a_text_is_found_as_it_was_written(database: Database) -> None:
    async with database.read() as session:
        for word in GOOD:
            found = await session.execute(select(WordRow.word).where(col(WordRow.word) == word))
            assert found.scalar_one() == word
        ordered = await session.execute(select(WordRow.word).order_by(col(WordRow.word)))
        assert list(ordered.scalars()) == sorted(GOOD)


@pytest.mark.parametrize("bad", BAD)
async def test_a_text_that_no_database_holds_is_refused_by_the_name_of_its_field(
    database: Database, bad: str
) -> None:
    async def add() -> None:
        async with database.transaction() as session:
            session.add(WordRow(word=bad, meaning=""))

    async def insert() -> None:
        async with database.transaction() as session:
            statement = upsert(session, WordRow).values(word=bad, meaning="")
            await session.execute(statement.on_conflict_do_nothing())

    async def insert_many() -> None:
        async with database.transaction() as session:
            rows = [{"word": "fine", "meaning": ""}, {"word": bad, "meaning": ""}]
            await session.execute(upsert(session, WordRow), rows)

    async def change() -> None:
        async with database.transaction() as session:
            await session.execute(update(WordRow).values(word=bad).where(col(WordRow.word) == "a"))

    for write in (add, insert, insert_many, change):
        with pytest.raises(StatusError) as caught:
            await write()
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert caught.value.message == f"word: {BAD[bad]}"
    async with database.read() as session:
        assert len((await session.execute(select(WordRow.word))).all()) == len(GOOD)


@pytest.mark.parametrize("bad", BAD)
async def test_a_text_that_no_database_holds_is_found_nowhere(database: Database, bad: str) -> None:
    word = col(WordRow.word)
    async with database.read() as session:
        for condition in (
            word == bad,
            word > bad,
            word.in_([bad]),
            word.in_([bad, bad]),
            word.contains(bad, autoescape=True),
            word.startswith(bad, autoescape=True),
        ):
            assert (await session.execute(select(word).where(condition))).all() == []
        mixed = await session.execute(select(word).where(word.in_([bad, "a", "é"])))
        assert set(mixed.scalars()) == {"a", "é"}
