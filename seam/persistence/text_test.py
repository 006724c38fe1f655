from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import BindParameter, Column, MetaData, bindparam, insert, select, update
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import Code, StatusError
from seam.persistence import Command, Database, Query, Text, one_of, open_database


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


word = col(WordRow.word)
FIND = Query(select(word).where(word == bindparam("word")), str)
ORDERED = Query(select(word).order_by(word), str)
ADD = Command(insert(WordRow))
ADD_UNLESS_THERE = Command(
    lambda insert: (
        insert(WordRow)
        .values(word=bindparam("word"), meaning=bindparam("meaning"))
        .on_conflict_do_nothing()
    )
)
CHANGE = Command(update(WordRow).values(word=bindparam("word")).where(word == "a"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, Table.metadata) as database:
        await database.execute_many(ADD, [{"word": good, "meaning": "good"} for good in GOOD])
        yield database


async def test_a_text_is_found_as_it_was_written(database: Database) -> None:
    for good in GOOD:
        assert await database.fetch_one(FIND, word=good) == good
    assert await database.fetch_all(ORDERED) == sorted(GOOD)


@pytest.mark.parametrize("bad", BAD)
async def test_a_text_that_no_database_holds_is_refused_by_the_name_of_its_field(
    database: Database, bad: str
) -> None:
    fine = {"word": "fine", "meaning": ""}
    for write in (
        lambda: database.execute(ADD, word=bad, meaning=""),
        lambda: database.execute(ADD_UNLESS_THERE, word=bad, meaning=""),
        lambda: database.execute_many(ADD, [fine, {"word": bad, "meaning": ""}]),
        lambda: database.execute(CHANGE, word=bad),
    ):
        with pytest.raises(StatusError) as caught:
            await write()
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert caught.value.message == f"word: {BAD[bad]}"
    assert len(await database.fetch_all(ORDERED)) == len(GOOD)


@pytest.mark.parametrize("bad", BAD)
async def test_a_text_that_no_database_holds_is_found_nowhere(database: Database, bad: str) -> None:
    sought: BindParameter[str] = bindparam("bad")
    for condition in (word == sought, word > sought, word.startswith(sought)):
        assert await database.fetch_all(Query(select(word).where(condition), str), bad=bad) == []
    for condition in (word.in_([bad]), word.startswith(bad), word.contains(bad, autoescape=True)):
        assert await database.fetch_all(Query(select(word).where(condition), str)) == []


@pytest.mark.parametrize("bad", BAD)
async def test_one_of_a_list_is_found_whatever_else_it_names(database: Database, bad: str) -> None:
    query = Query(select(word).where(one_of(word, "words")), str)
    assert await database.fetch_all(query, words=[]) == []
    assert await database.fetch_all(query, words=[bad, bad]) == []
    assert set(await database.fetch_all(query, words=[bad, "a", "é", "nowhere"])) == {"a", "é"}
    every = [*GOOD, *(f"{number}" for number in range(5000))]
    assert sorted(await database.fetch_all(query, words=every)) == sorted(GOOD)


async def test_one_of_a_list_is_looked_up_by_the_index(tmp_path: Path) -> None:
    query = Query(select(word).where(one_of(word, "words"), word != ""), str)
    sql = query.compiled("sqlite", {"words": []}).sql
    async with open_database(f"sqlite:///{tmp_path}/shop.db", Table.metadata):
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("[]", "")).fetchall()
    assert [step for *_, step in plan if "SEARCH" in step and "word=?" in step], plan
