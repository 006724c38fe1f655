"""The log beside a file stays short whoever reads, and loses nothing where it cannot be copied."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import StatusError
from seam.persistence import Command, Database, Query, open_database

MIB = 2**20


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    words: str


ADD = Command(insert(NoteRow))
NUMBERS = Query(select(col(NoteRow.number)).order_by(col(NoteRow.number)), int)
WORDS = "x" * 50_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
async def database(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr("seam.persistence.sqlite_log.LOG_BYTES", MIB)
    async with open_database(f"sqlite:///{file}", Table.metadata) as database:
        yield database


def log_bytes(file: Path) -> int:
    return Path(f"{file}-wal").stat().st_size


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Read what is committed at this moment until the block ends."""
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM note").fetchone()
        yield


async def test_the_log_stays_short_although_somebody_always_reads(
    database: Database, file: Path
) -> None:
    async def read() -> None:
        """The next one begins before the one before ends."""
        while True:
            with reading(file):
                await asyncio.sleep(0.01)
                task = asyncio.create_task(read_next())
                await asyncio.sleep(0.01)
            await task

    async def read_next() -> None:
        with reading(file):
            await asyncio.sleep(0.03)

    readers = [asyncio.create_task(read()) for _ in range(2)]
    longest = 0
    for number in range(400):
        await database.execute(ADD, number=number, words=WORDS)
        longest = max(longest, log_bytes(file))
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    # All that was written is twenty times as much.
    assert longest < 4 * MIB
    assert len(await database.fetch_all(NUMBERS)) == 400


async def test_who_reads_without_end_holds_nobody_up_for_long_and_the_log_is_cut_afterwards(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seam.persistence.sqlite_log.LOG_SECONDS", 0.02)
    monkeypatch.setattr("seam.persistence.sqlite_log.LOG_INTERVAL", 0.2)
    with reading(file):
        for number in range(100):
            await database.execute(ADD, number=number, words=WORDS)
        assert log_bytes(file) > 4 * MIB
    async with asyncio.timeout(20):
        number = 100
        while log_bytes(file) > MIB:
            await database.execute(ADD, number=number, words="")
            await asyncio.sleep(0.05)
            number += 1
    assert await database.fetch_all(NUMBERS) == list(range(number))


async def test_a_disk_that_is_full_when_the_log_is_copied_loses_nothing(
    database: Database, file: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    written, limit = [], 4 * MIB

    async def fill() -> None:
        for number in range(1_000):
            await database.execute(ADD, number=number, words=WORDS)
            written.append(number)

    # No file may grow beyond it: the database cannot, and then the log.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StatusError, match="shop is not available"):
            await fill()
        # It was refused when there was no room in the log either.
        assert file.stat().st_size > limit - MIB
        assert log_bytes(file) > limit - MIB
        assert await database.fetch_all(NUMBERS) == written
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await database.execute(ADD, number=1_000, words=WORDS)
    assert await database.fetch_all(NUMBERS) == [*written, 1_000]
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
