"""Transactions that share a commit: all are on disk when they return, and each fails alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    MetaData,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import Code, StatusError
from seam.persistence import Command, Database, Query, Transaction, open_database
from seam.persistence.sqlite_writer import WRITER_TIMEOUT, SqliteWriter


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"
    __table_args__ = (CheckConstraint("number < 1000000", name="small"),)

    number: int = Field(primary_key=True)
    words: str = Field(default="", index=True)


ADD = Command(insert(NoteRow))
NUMBERS = Query(select(col(NoteRow.number)).order_by(col(NoteRow.number)), int)
COUNT = Query(select(func.count()).select_from(NoteRow), int)
ONE = Query(select(col(NoteRow.number)).where(col(NoteRow.number) == 1), int)
CHANGE_ONE = Command(
    update(NoteRow).where(col(NoteRow.number) == bindparam("of")).values(words=bindparam("said"))
)
REMOVE_WORDS = Command(delete(NoteRow).where(col(NoteRow.words) == bindparam("said")))
REMOVE_ALL = Command(delete(NoteRow))
CHANGE = Command(update(NoteRow).values(words=bindparam("said")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{file}", Table.metadata) as database:
        yield database


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many transactions each commit was for."""
    sizes: list[int] = []
    start = SqliteWriter._start_commit

    def note(self: SqliteWriter) -> asyncio.Future[bool]:
        sizes.append(len(self._group))
        return start(self)

    monkeypatch.setattr(SqliteWriter, "_start_commit", note)
    return sizes


def on_disk(file: Path) -> list[int]:
    """What another process finds."""
    with closing(sqlite3.connect(file)) as other:
        return [number for (number,) in other.execute("SELECT number FROM note ORDER BY number")]


async def test_what_returned_is_on_disk_and_commits_are_shared(
    database: Database, file: Path, commits: list[int]
) -> None:
    async def add(number: int) -> None:
        await database.execute(ADD, number=number)
        assert number in on_disk(file)

    await asyncio.gather(*(add(number) for number in range(100)))
    assert on_disk(file) == list(range(100))
    assert sum(commits) == 100
    assert len(commits) < 50


async def test_clients_that_write_again_once_they_are_answered_share_each_commit(
    database: Database, commits: list[int]
) -> None:
    async def write(client: int) -> None:
        for number in range(20):
            await database.execute(ADD, number=client * 100 + number)
            # As a request that comes over a network does, it comes a bit later than others.
            for _ in range(client):
                await asyncio.sleep(0)

    await asyncio.gather(*(write(client) for client in range(8)))
    assert sum(commits) == 160
    # Without waiting for each other they need nearly forty: one for the first, one for the rest.
    assert len(commits) <= 30


async def test_who_is_waited_for_in_vain_holds_nobody_up(database: Database, file: Path) -> None:
    await asyncio.gather(*(database.execute(ADD, number=number) for number in range(50)))
    async with asyncio.timeout(WRITER_TIMEOUT):
        for number in range(50, 60):
            await database.execute(ADD, number=number)
            assert number in on_disk(file)


async def test_what_waits_for_others_when_the_database_is_closed_is_on_disk(file: Path) -> None:
    async with open_database(f"sqlite:///{file}", Table.metadata) as database:
        await asyncio.gather(*(database.execute(ADD, number=number) for number in range(50)))
        last = asyncio.create_task(database.execute(ADD, number=50))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await last == 1
    assert 50 in on_disk(file)


async def test_one_that_fails_fails_alone_in_whichever_place_of_a_group(
    database: Database, file: Path
) -> None:
    async def add(number: int) -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=number)
            if number % 3 == 0:
                raise ZeroDivisionError
            if number % 3 == 1:
                await transaction.execute(ADD, number=number)

    outcomes = await asyncio.gather(*(add(n) for n in range(60)), return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [ZeroDivisionError, IntegrityError, type(None)] * 20
    assert on_disk(file) == list(range(2, 60, 3))


async def test_one_that_is_cancelled_is_undone_alone(database: Database, file: Path) -> None:
    async def add(number: int, hang: asyncio.Event | None = None) -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=number)
            if hang is not None:
                hang.set()
                await asyncio.sleep(60)

    hanging = asyncio.Event()
    tasks = [asyncio.create_task(add(n, hanging if n == 5 else None)) for n in range(10)]
    await hanging.wait()
    tasks[5].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(o) for o in outcomes if o is not None] == [asyncio.CancelledError]
    assert on_disk(file) == [0, 1, 2, 3, 4, 6, 7, 8, 9]


async def test_a_savepoint_is_undone_alone(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)

        async def fail() -> None:
            async with transaction.savepoint():
                await transaction.execute(ADD, number=2)
                async with transaction.savepoint():
                    await transaction.execute(ADD, number=3)
                await transaction.execute(ADD, number=1)

        with pytest.raises(IntegrityError):
            await fail()
        async with transaction.savepoint():
            await transaction.execute(ADD, number=4)
        assert await transaction.fetch_all(NUMBERS) == [1, 4]
    assert await database.fetch_all(NUMBERS) == [1, 4]


async def test_callbacks_run_after_the_commit_and_only_then(database: Database, file: Path) -> None:
    seen: list[tuple[int, bool]] = []

    async def add(number: int, transaction: Transaction) -> None:
        transaction.after_commit(lambda: seen.append((number, number in on_disk(file))))
        await transaction.execute(ADD, number=number)
        if number == 7:
            raise ZeroDivisionError

    async def run(number: int) -> None:
        async with database.transaction() as transaction:
            await add(number, transaction)
        assert (number, True) in seen

    await asyncio.gather(*(run(number) for number in range(20)), return_exceptions=True)
    assert sorted(seen) == [(number, True) for number in range(20) if number != 7]


async def test_when_a_commit_fails_all_of_its_group_fail_and_the_next_does_not(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.execute(ADD, number=1000)
    real = sqlite3.Connection.commit
    failing = False

    class Connection(sqlite3.Connection):
        def commit(self) -> None:
            if failing:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
            real(self)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, factory=Connection, **options)
    )
    async with open_database(f"sqlite:///{file}", Table.metadata) as other:
        failing = True
        outcomes = await asyncio.gather(
            *(other.execute(ADD, number=number) for number in range(10)), return_exceptions=True
        )
        assert [o.code for o in outcomes if isinstance(o, StatusError)] == [Code.UNAVAILABLE] * 10
        assert on_disk(file) == [1000]
        failing = False
        await other.execute(ADD, number=11)
        assert on_disk(file) == [11, 1000]


async def test_one_that_waits_for_something_else_holds_nobody_up_for_long(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seam.persistence.sqlite_writer.WRITER_TIMEOUT", 0.2)
    release = asyncio.Event()

    async def add(number: int) -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, number=number)
            if number == 1:
                await release.wait()
                await transaction.execute(ADD, number=100)

    tasks = [asyncio.create_task(add(number)) for number in range(4)]
    async with asyncio.timeout(10):
        await tasks[0]
        outcomes = await asyncio.gather(tasks[2], tasks[3], return_exceptions=True)
    release.set()
    with pytest.raises(StatusError) as caught:
        await tasks[1]
    assert caught.value.code is Code.UNAVAILABLE
    assert 0 in on_disk(file)
    assert not {1, 100} & set(on_disk(file))
    for outcome in outcomes:
        assert outcome is None or isinstance(outcome, StatusError)


async def test_many_rows_are_written_in_a_thread_and_the_loop_goes_on(database: Database) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await database.execute_many(ADD, [{"number": number} for number in range(20_000)])
    turning.cancel()
    assert turns > 20
    assert await database.fetch_one(COUNT) == 20_000


async def test_many_rows_of_which_one_is_refused_are_all_undone(database: Database) -> None:
    rows = [{"number": number} for number in range(5_000)] + [{"number": 2_000_000}]
    with pytest.raises(IntegrityError, match="small"):
        await database.execute_many(ADD, rows)
    assert await database.fetch_one(COUNT) == 0
    await database.execute(ADD, number=1)


async def test_a_transaction_that_is_cancelled_while_its_thread_writes_is_undone(
    database: Database,
) -> None:
    writing = asyncio.create_task(
        database.execute_many(ADD, [{"number": number} for number in range(200_000)])
    )
    await asyncio.sleep(0.05)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.execute(ADD, number=500_000)
    assert await database.fetch_all(NUMBERS) == [500_000]


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What ran in the writer's thread."""
    hops: list[object] = []
    in_thread = SqliteWriter.in_thread

    async def note(self: SqliteWriter, work: Any) -> object:
        # The connection is opened there as well.
        if getattr(work, "__name__", "") != "_open":
            hops.append(work)
        return await in_thread(self, work)

    monkeypatch.setattr(SqliteWriter, "in_thread", note)
    return hops


async def test_a_command_that_names_its_rows_runs_on_the_loop(
    database: Database, hops: list[object]
) -> None:
    for number in range(3):
        await database.execute(ADD, number=number)
        await database.execute(CHANGE_ONE, of=number, said="x")
    assert not hops


async def test_a_command_that_took_long_runs_in_the_thread_until_it_does_not(
    database: Database, hops: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.execute(ADD, number=1)
    for limit, expected in ((0, 0), (0, 1), (60, 2), (60, 2)):
        monkeypatch.setattr("seam.persistence.sqlite_work.LONG_SECONDS", limit)
        await database.execute(CHANGE_ONE, of=1, said="x")
        assert len(hops) == expected


async def test_a_command_whose_rows_the_data_tells_is_tried_in_the_thread_first(
    database: Database, hops: list[object]
) -> None:
    await database.execute(ADD, number=1)
    for _ in range(3):
        await database.execute(REMOVE_WORDS, said="x")
        assert len(hops) == 1


async def test_a_command_that_looks_at_a_whole_table_never_runs_on_the_loop(
    database: Database, file: Path, hops: list[object]
) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            " INSERT INTO note SELECT i, '' FROM n"
        )
        other.commit()
    begun = time.perf_counter()
    change = asyncio.create_task(database.execute(CHANGE, said="x"))
    slowest, reads = 0.0, 0
    while not change.done():
        asked = time.thread_time()
        await asyncio.sleep(0)
        assert await database.fetch_all(ONE) == [1]
        # Its own time on the processor: others of this machine may hold it up.
        slowest = max(slowest, time.thread_time() - asked)
        reads += 1
    took = time.perf_counter() - begun
    assert await change == 300_000
    assert len(hops) == 1
    assert reads > 10
    assert slowest < took / 4
    # However short it is from now on.
    await database.execute(REMOVE_ALL)
    for expected in (3, 4, 5):
        await database.execute(CHANGE, said="y")
        assert len(hops) == expected


async def test_a_transaction_alone_shares_its_commit_with_nobody(
    database: Database, commits: list[int]
) -> None:
    async def add(number: int) -> None:
        async with database.transaction(alone=number == 3) as transaction:
            await transaction.execute(ADD, number=number)

    await asyncio.gather(*(add(number) for number in range(7)))
    assert commits[-2] == 1
    assert sum(commits) == 7


async def test_a_transaction_reads_what_takes_long_in_the_thread(database: Database) -> None:
    long = Query(
        text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            " SELECT count(*) + (SELECT count(*) FROM note) FROM n"
        ),
        int,
    )
    async with database.transaction() as transaction:
        await transaction.execute(ADD, number=1)
        assert await transaction.fetch_one(long) == 300_001
        assert await transaction.fetch_one(long) == 300_001
        await transaction.execute(ADD, number=2)
    assert await database.fetch_all(NUMBERS) == [1, 2]


WRITING = """
import asyncio, sys
from seam.persistence import open_database
from seam.persistence.sqlite_writer_test import ADD, Table

async def write(database, client):
    number = client
    while True:
        await database.execute(ADD, number=number)
        sys.stdout.write(f"{number}\\n")
        number += 16

async def main():
    async with open_database(sys.argv[1], Table.metadata) as database:
        asyncio.get_running_loop().call_later(60, sys.exit)
        await asyncio.gather(*(write(database, client) for client in range(16)))

sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
"""


async def test_what_a_process_has_told_is_there_after_it_was_killed(
    database: Database, file: Path
) -> None:
    """The other process writes what it was told of as done; this one writes the same file."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITING, f"sqlite:///{file}"),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(100)]
    await database.execute(ADD, number=999_999)
    process.kill()
    told += (await process.stdout.read()).splitlines()
    await process.wait()
    complete = {int(line) for line in told if line}
    assert {*complete, 999_999} <= set(await database.fetch_all(NUMBERS))
    await database.execute(ADD, number=999_998)
