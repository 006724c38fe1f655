"""Long statements: nobody else waits for them, and they end when nobody waits for them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import MetaData, bindparam, func, insert, select, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import StatusError
from seam.persistence import Command, Database, Query, open_database
from seam.persistence.sqlite_reader import NICENESS, SqliteReader


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    words: str


ROWS = 1_000_000
FIND = Query(select(col(NoteRow.words)).where(col(NoteRow.number) == bindparam("number")), str)
SCAN = Query(
    select(func.count()).select_from(NoteRow).where(col(NoteRow.words).like(bindparam("like"))), int
)
SOME = Query(select(col(NoteRow.number)).where(col(NoteRow.number) < bindparam("number")), int)
ENDLESS = Query(
    text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"),
    int,
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{tmp_path}/shop.db", Table.metadata) as database:
        yield database


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that went to a thread."""
    seen: list[str] = []
    in_thread = SqliteReader._in_thread

    async def note(self: SqliteReader, reading: object) -> list[object]:
        seen.append(reading.sql)  # type: ignore[attr-defined]
        return await in_thread(self, reading)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteReader, "_in_thread", note)
    return seen


async def test_a_query_over_a_million_rows_does_not_hold_other_requests_up(
    database: Database, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as other:
        other.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO note SELECT i, 'some words of a note ' || i FROM n",
            (ROWS,),
        )
        other.commit()
    begun = perf_counter()
    scan = asyncio.create_task(database.fetch_one(SCAN, like="%words of a note 999%"))
    finds, slowest = 0, 0.0
    while not scan.done():
        asked = time.thread_time()
        assert await database.fetch_one(FIND, number=finds + 1)
        # Its own time on the processor: others of this machine may hold it up.
        slowest = max(slowest, time.thread_time() - asked)
        finds += 1
        await asyncio.sleep(0)
    took = perf_counter() - begun
    assert await scan == 1_111
    assert finds > 100
    assert slowest < took / 4


async def test_threads_give_way_to_the_event_loop(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nicenesses: list[int] = []
    records = Query.records

    def note(self: Query[int], *arguments: object) -> list[int]:
        nicenesses.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return records(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Query, "records", note)
    await database.fetch_one(FIND, number=1)
    monkeypatch.setattr(SqliteReader, "_on_loop", lambda *_: None)
    await database.fetch_one(FIND, number=1)
    loop, thread = nicenesses
    # Elsewhere, threads have no niceness of their own.
    assert thread == (min(loop + NICENESS, 19) if sys.platform == "linux" else loop)


async def test_a_statement_of_a_few_rows_stays_on_the_loop_however_often_it_runs(
    database: Database, hops: list[str]
) -> None:
    await database.execute_many(
        Command(insert(NoteRow)), [{"number": n, "words": "x"} for n in range(400)]
    )
    for number in range(2_000):
        await database.fetch_one(FIND, number=number % 400)
        assert len(await database.fetch_all(SOME, number=40)) == 40
    # A machine that is busy may take the time away that a statement has.
    assert len(hops) < 200


async def test_a_short_statement_that_the_machine_has_held_up_stays_on_the_loop(
    database: Database, hops: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread it would wait behind statements that do take long."""
    # Whenever SQLite looks, the time is over.
    monkeypatch.setattr("seam.persistence.sqlite_connection.SECONDS", -1)
    for number in range(1_000):
        await database.fetch_one(FIND, number=number)
    assert hops == []


async def test_a_long_statement_goes_to_a_thread_at_once_and_is_tried_again_now_and_then(
    database: Database, hops: list[str]
) -> None:
    long = Query(
        text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
            " SELECT count(*) FROM n"
        ),
        int,
    )
    assert await database.fetch_one(long, last=100_000) == 100_000
    assert len(hops) == 1
    for _ in range(20):
        assert await database.fetch_one(long, last=1) == 1
    assert len(hops) == 21
    assert await database.fetch_one(long, last=1) == 1
    assert len(hops) == 21


async def test_a_statement_that_nobody_waits_for_any_more_ends(database: Database) -> None:
    for _ in range(12):
        # There are fewer threads.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.fetch_one(ENDLESS)
    assert await database.fetch_all(SOME, number=1) == []


async def test_more_long_statements_than_threads_are_refused_after_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seam.persistence.sqlite_reader.POOL_TIMEOUT", 0.1)
    endless = [asyncio.create_task(database.fetch_one(ENDLESS)) for _ in range(4)]
    await asyncio.sleep(0.05)
    with pytest.raises(StatusError, match="shop is not available"):
        await database.fetch_one(ENDLESS)
    for task in endless:
        task.cancel()
    await asyncio.gather(*endless, return_exceptions=True)


async def test_what_only_reads_can_write_nothing(database: Database) -> None:
    with pytest.raises(StatusError):
        await database.fetch_all(Query(text("DELETE FROM note RETURNING number"), int))
