"""A database that goes away, in every way that it can, and comes back."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import Code, StatusError
from seam.persistence import Command, Database, Query, open_database
from seam.testing.databases import StoppablePostgres


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    words: str


NUMBERS = Query(select(col(NoteRow.number)), int)
ADD = Command(insert(NoteRow))
AWAY = (Code.UNAVAILABLE, "shop is not available")
DEADLINE = 5.0
"""Seconds that calls have in most contracts."""


async def read(database: Database) -> int:
    return len(await database.fetch_all(NUMBERS))


async def write(database: Database, number: int) -> None:
    async with database.transaction() as transaction:
        await transaction.fetch_all(NUMBERS)
        await transaction.execute(ADD, number=number, words="private words")


async def outcome(work: Callable[[], Awaitable[object]]) -> tuple[Code, str]:
    """How a piece of work ends: OK, or the status that a caller gets."""
    try:
        await work()
    except StatusError as error:
        return error.code, error.message
    return Code.OK, ""


async def until_available(database: Database) -> None:
    async with asyncio.timeout(30):
        while not database.available or await database.problem():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def under_load(database: Database) -> AsyncIterator[Counter[tuple[Code, str]]]:
    """Read and write all the time, and count how it ends; no piece may take longer than a call."""
    outcomes: Counter[tuple[Code, str]] = Counter()
    ended = asyncio.Event()
    slowest = 0.0

    async def client(identity: int) -> None:
        nonlocal slowest
        number = identity * 1_000_000
        while not ended.is_set():
            number += 1
            begun = time.monotonic()
            for work in (partial(read, database), partial(write, database, number)):
                outcomes[await outcome(work)] += 1
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as clients:
        for identity in range(30):
            clients.create_task(client(identity))
        yield outcomes
        ended.set()
    assert slowest < 2 * DEADLINE
    assert set(outcomes) <= {(Code.OK, ""), AWAY}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("way", ["shut_down", "kill"])
async def test_a_server_that_ends_under_load_is_unavailable_until_it_is_back(
    stoppable_postgres: StoppablePostgres, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    async with (
        open_database(stoppable_postgres.url, Table.metadata) as database,
        under_load(database) as outcomes,
    ):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(getattr(stoppable_postgres, way))
        await asyncio.sleep(0.3)
        outcomes.clear()
        await asyncio.sleep(1)
        assert set(outcomes) == {AWAY}
        assert await database.problem() == "cannot be reached"
        await asyncio.to_thread(stoppable_postgres.start)
        await until_available(database)
        outcomes.clear()
        await asyncio.sleep(0.5)
        assert set(outcomes) == {(Code.OK, "")}
    said = lines(caplog)
    about_it = [line for line in said if line.startswith("the database of shop ")]
    assert [line.partition(":")[0] for line in about_it] == [
        "the database of shop is not available",
        "the database of shop is available again",
    ]
    # What was under way when it ended may be told apart.
    assert len(said) <= 6


async def test_a_server_that_is_frozen_is_unavailable_within_a_call_s_deadline(
    stoppable_postgres: StoppablePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_database(stoppable_postgres.url, Table.metadata) as database:
        async with under_load(database) as outcomes:
            await asyncio.sleep(0.3)
            stoppable_postgres.freeze()
            begun = time.monotonic()
            while database.available:
                await asyncio.sleep(0.02)
            assert time.monotonic() - begun < DEADLINE
            await asyncio.sleep(0.3)
            outcomes.clear()
            await asyncio.sleep(0.5)
            assert set(outcomes) == {AWAY}
            assert await database.problem() == "does not answer"
            stoppable_postgres.thaw()
            await until_available(database)
            outcomes.clear()
            await asyncio.sleep(0.5)
            assert set(outcomes) == {(Code.OK, "")}
        # No connection is lost to the pool.
        assert len(await asyncio.gather(*(read(database) for _ in range(40)))) == 40
    said = lines(caplog)
    assert [line for line in said if line.startswith("the database of shop ")] == [
        "the database of shop is not available: it does not answer",
        "the database of shop is available again",
    ]


async def test_connections_that_ended_while_nobody_used_them_fail_no_call(
    stoppable_postgres: StoppablePostgres,
) -> None:
    async with open_database(stoppable_postgres.url, Table.metadata) as database:
        await asyncio.gather(*(read(database) for _ in range(10)))
        await asyncio.to_thread(stoppable_postgres.shut_down)
        await asyncio.to_thread(stoppable_postgres.start)
        await until_available(database)
        for _ in range(3):
            assert await asyncio.gather(*(read(database) for _ in range(10))) == [0] * 10


async def test_what_an_administrator_ends_is_unavailable_and_the_next_call_is_answered(
    stoppable_postgres: StoppablePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_database(stoppable_postgres.url, Table.metadata) as database:

        async def be_ended() -> None:
            async with database.transaction() as transaction:
                await transaction.execute(
                    Command(text("SELECT pg_terminate_backend(pg_backend_pid())"))
                )

        assert await outcome(be_ended) == AWAY
        assert await outcome(lambda: write(database, 1)) == (Code.OK, "")
        assert database.available
    (first, second) = lines(caplog)
    assert first.startswith("writing to the database of shop is not available: ")
    assert second == "writing to the database of shop is available again"


async def test_a_server_without_connections_to_spare_is_unavailable_and_serves_those_it_has(
    stoppable_postgres: StoppablePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    stoppable_postgres.psql("CREATE ROLE clerk LOGIN; ALTER DATABASE postgres OWNER TO clerk;")
    url = stoppable_postgres.url.replace("postgres:@", "clerk:@")
    assert "clerk" in url
    async with open_database(url, Table.metadata) as database:
        await read(database)
        stoppable_postgres.psql("ALTER ROLE clerk CONNECTION LIMIT 2;")
        entered, leave = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with database.transaction() as transaction:
                await transaction.fetch_all(NUMBERS)
                entered.set()
                await leave.wait()

        holding = asyncio.create_task(hold())
        await entered.wait()
        for _ in range(100):
            assert await outcome(lambda: read(database)) == AWAY
        assert database.available
        leave.set()
        await holding
        assert await read(database) == 0
    assert len(lines(caplog)) == 2
    assert "too many connections" in lines(caplog)[0]


@pytest.fixture
async def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
async def database(sqlite_file: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{sqlite_file}", Table.metadata) as database:
        yield database


async def test_a_file_that_another_process_has_locked_is_unavailable_to_all_who_write(
    database: Database, sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        outcomes = await asyncio.gather(
            *(outcome(partial(write, database, number)) for number in range(20))
        )
        assert set(outcomes) == {AWAY}
        assert time.monotonic() - begun < DEADLINE
        assert await read(database) == 0
        other.execute("ROLLBACK")
    await write(database, 1)
    first, second = lines(caplog)
    assert first.startswith("writing to the database of shop is not available: ")
    assert second == "writing to the database of shop is available again"


async def test_a_disk_that_is_full_is_unavailable_to_those_who_write(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.transaction() as transaction:
        await transaction.fetch_all(Query(text("PRAGMA max_page_count = 1"), int))

    async def fill() -> None:
        await database.execute(ADD, number=1, words="private words" * 10_000)

    for _ in range(50):
        assert await outcome(fill) == AWAY
    assert await read(database) == 0
    assert lines(caplog) == [
        "writing to the database of shop is not available: database or disk is full"
    ]


async def test_a_file_that_was_removed_is_written_no_more_until_it_is_back(
    database: Database, sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await write(database, 1)
    moved = sqlite_file.rename(sqlite_file.with_name("moved.db"))
    for number in range(2, 50):
        assert await outcome(partial(write, database, number)) == AWAY
    assert await outcome(lambda: read(database)) == AWAY
    assert await database.problem() == "has lost its file"
    moved.rename(sqlite_file)
    await until_available(database)
    await write(database, 2)
    assert await read(database) == 2
    assert lines(caplog) == [
        f"the database of shop is not available: {sqlite_file} is gone",
        "the database of shop is available again",
    ]


async def test_a_file_that_was_restored_from_a_backup_is_used_once_it_is_found_good(
    database: Database, sqlite_file: Path, tmp_path: Path
) -> None:
    await write(database, 1)
    backup = tmp_path / "backup.db"
    with (
        closing(sqlite3.connect(sqlite_file)) as here,
        closing(sqlite3.connect(backup)) as there,
    ):
        here.backup(there)
    await write(database, 2)
    for name in ("shop.db", "shop.db-wal", "shop.db-shm"):
        (tmp_path / name).unlink()
    sqlite_file.write_bytes(b"no database" * 1000)
    assert await outcome(lambda: write(database, 3)) == AWAY
    sqlite_file.unlink()
    backup.rename(sqlite_file)
    await until_available(database)
    assert await read(database) == 1
    await write(database, 2)


def damage(file: Path) -> None:
    """Overwrite the middle of the pages after the first one."""
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 2000] = b"\xa5" * 2000
    file.write_bytes(content)


async def test_a_page_that_is_found_damaged_is_told_without_rows_in_one_line(
    sqlite_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{sqlite_file}"
    async with open_database(url, Table.metadata) as database:
        await database.execute_many(
            ADD, [{"number": n, "words": "private words" * 20} for n in range(500)]
        )
    async with open_database(url, Table.metadata) as database:
        damage(sqlite_file)

        async def search() -> None:
            await database.fetch_all(
                Query(text("SELECT number FROM note WHERE words LIKE '%x%'"), int)
            )

        for _ in range(20):
            assert await outcome(search) == (Code.DATA_LOSS, "shop cannot read its data")
    assert lines(caplog) == ["the data of shop is not available: database disk image is malformed"]


async def test_a_defect_stays_what_it_is_and_tells_no_data(database_url: str) -> None:
    secrets = (77712, "private words")
    number, words = secrets
    async with open_database(database_url, Table.metadata) as database:

        async def add(*rows: dict[str, object]) -> None:
            async with database.transaction() as transaction:
                for row in rows:
                    await transaction.execute(ADD, **row)

        async def add_many(*rows: dict[str, object]) -> None:
            await database.execute_many(ADD, rows)

        row: dict[str, object] = {"number": number, "words": words}
        nonsense = Query(select(col(NoteRow.number)).where(text("words = nonsense")), int)
        for defect, expected in (
            (add(row, row), 1),
            (add_many(row, row), 1),
            (add({"number": number, "words": None}), 1),
            (add({"number": words, "words": words}), 2),
            (database.fetch_all(nonsense), 2),
        ):
            with pytest.raises(IntegrityError if expected == 1 else SQLAlchemyError) as caught:
                await defect
            logged = "".join(traceback.format_exception(caught.value))
            assert not [secret for secret in secrets if str(secret) in logged], logged
        assert database.available
