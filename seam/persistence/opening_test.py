"""A database that does not fit: one line says which it is, what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, insert
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from seam.persistence import CannotOpenDatabaseError, Command, open_database
from seam.persistence.sqlite import SqliteBackend
from seam.testing.databases import StoppablePostgres


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)
    words: str
    done: bool = False


ADD = Command(insert(NoteRow))
PRIVATE = "private words"


async def refusal(url: str) -> str:
    with pytest.raises(CannotOpenDatabaseError) as caught:
        async with open_database(url, Table.metadata):
            raise AssertionError("it was opened")
    said = str(caught.value)
    assert "\n" not in said
    assert PRIVATE not in said
    # Nothing else is printed with it.
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None
    return said


async def fill(file: Path, rows: int = 500) -> None:
    url = f"sqlite:///{file}"
    async with open_database(url, Table.metadata) as database:
        await database.execute_many(
            ADD, [{"number": n, "words": PRIVATE * 20} for n in range(rows)]
        )


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TABLE note (number INTEGER PRIMARY KEY, done BOOLEAN)", "has no column words"),
        (
            "CREATE TABLE note (number INTEGER PRIMARY KEY, words BLOB, done BOOLEAN)",
            "its column note.words is of the type BLOB",
        ),
        (
            "CREATE TABLE note (number INTEGER PRIMARY KEY, words, done BOOLEAN)",
            "its column note.words is of the type ",
        ),
        (
            "CREATE TABLE note (number INTEGER, words VARCHAR PRIMARY KEY, done BOOLEAN)",
            "the primary key of its table note is words; expected number",
        ),
        (
            "CREATE TABLE note (number INTEGER, words VARCHAR, done BOOLEAN)",
            "the primary key of its table note is missing; expected number",
        ),
        (
            "CREATE TABLE note (number INTEGER PRIMARY KEY, words VARCHAR, done BOOLEAN,"
            " colour VARCHAR NOT NULL)",
            "asks for a column colour that is not known",
        ),
        ("CREATE VIEW note AS SELECT 1 AS number", "its column note.number is of the type "),
    ],
)
async def test_tables_of_another_shape_are_named(statement: str, what: str, file: Path) -> None:
    execute(file, statement)
    said = await refusal(f"sqlite:///{file}")
    assert said.startswith(f"cannot open the database sqlite:///{file}: ")
    assert what in said
    assert said.endswith(
        "; it was made by another version, or for something else: name another one (--data or "
        "--database), or move it away, with its -wal and -shm files, to begin with an empty one"
    )


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("TABLE shop.note (number INTEGER PRIMARY KEY, done BOOLEAN)", "has no column words"),
        (
            "TABLE shop.note (number INTEGER PRIMARY KEY, words POINT, done BOOLEAN)",
            "its column note.words is of the type ",
        ),
        (
            "TABLE shop.note (number INTEGER PRIMARY KEY, words INTEGER, done BOOLEAN)",
            "its column note.words is of the type INTEGER",
        ),
        ("VIEW shop.note AS SELECT 1 AS number", "its table note has no column words"),
    ],
)
async def test_tables_of_another_shape_in_a_schema_are_named(
    statement: str, what: str, postgres_server: Any
) -> None:
    postgres_server.psql(f"CREATE SCHEMA shop; CREATE {statement};")
    said = await refusal(postgres_server.get_uri())
    postgres_server.psql("DROP SCHEMA shop CASCADE;")
    assert what in said
    assert said.endswith("or for something else: name another one (--database)")


async def test_columns_that_a_newer_version_has_added_do_no_harm(file: Path) -> None:
    await fill(file, 3)
    execute(
        file,
        "ALTER TABLE note ADD COLUMN colour VARCHAR",
        "ALTER TABLE note ADD COLUMN size VARCHAR NOT NULL DEFAULT 'S'",
        "CREATE TABLE more (number INTEGER)",
    )
    url = f"sqlite:///{file}"
    async with open_database(url, Table.metadata) as database:
        await database.execute(ADD, number=7, words=PRIVATE)


async def test_a_table_that_an_older_version_did_not_have_is_added(file: Path) -> None:
    execute(file, "CREATE TABLE other (number INTEGER)")
    await fill(file, 3)


async def test_a_damaged_page_is_found_at_the_start(file: Path) -> None:
    await fill(file)
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 2000] = b"\xa5" * 2000
    file.write_bytes(content)
    said = await refusal(f"sqlite:///{file}")
    assert said.startswith(
        f"cannot open the database sqlite:///{file}: database disk image is malformed"
    )
    assert said.endswith(
        "; restore it from a backup, or move it away, with its -wal and -shm files, "
        "to begin with an empty one"
    )


@pytest.mark.parametrize("kept", [50, 100, 4096, 6000, 20_000])
async def test_a_truncated_file_is_found_at_the_start(file: Path, kept: int) -> None:
    await fill(file)
    assert file.stat().st_size > kept
    os.truncate(file, kept)
    assert "restore it from a backup" in await refusal(f"sqlite:///{file}")


async def test_a_file_that_is_no_database_is_named_and_left_alone(file: Path) -> None:
    content = PRIVATE.encode() * 1000
    file.write_bytes(content)
    said = await refusal(f"sqlite:///{file}")
    assert "shop.db: file is not a database; " in said
    assert file.read_bytes() == content


async def test_a_directory_in_the_place_of_the_file_is_named(file: Path) -> None:
    file.mkdir()
    assert "it is a directory; expected a file" in await refusal(f"sqlite:///{file}")


async def test_a_file_in_the_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(PRIVATE)
    said = await refusal(f"sqlite:///{tmp_path}/data/shop.db")
    assert "File exists" in said
    assert "check that the path is right and that this user may write there" in said


async def test_write_ahead_logs_of_another_database_end_in_no_traceback(
    file: Path, tmp_path: Path
) -> None:
    """SQLite takes them for the file's own; what comes out is a good database or a refusal."""
    other = tmp_path / "other.db"
    await fill(file)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE note (words BLOB)")
        connection.executemany("INSERT INTO note VALUES (?)", [(PRIVATE,)] * 300)
        connection.commit()
        for suffix in ("-wal", "-shm"):
            content = Path(f"{other}{suffix}").read_bytes()
            Path(f"{file}{suffix}").write_bytes(content)
    assert "move it away, with its -wal and -shm files" in await refusal(f"sqlite:///{file}")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder, and a user who is not root for as long as the test runs."""
    with tempfile.TemporaryDirectory(prefix="seam-") as directory:
        Path(directory).chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.chown(directory, 65534, 65534)
            os.seteuid(65534)
        yield Path(directory)
        if root:
            os.seteuid(0)
        Path(directory).chmod(0o755)


async def test_a_folder_that_may_not_be_written_is_named(unprivileged: Path) -> None:
    unprivileged.chmod(stat.S_IRUSR | stat.S_IXUSR)
    for place in (unprivileged / "shop.db", unprivileged / "below" / "shop.db"):
        said = await refusal(f"sqlite:///{place}")
        assert said.startswith(f"cannot open the database sqlite:///{place}: ")
        assert said.endswith("; check that the path is right and that this user may write there")


@pytest.mark.parametrize("mode", [0, stat.S_IRUSR])
async def test_a_file_that_may_not_be_written_is_named(unprivileged: Path, mode: int) -> None:
    await fill(unprivileged / "shop.db", 3)
    (unprivileged / "shop.db").chmod(mode)
    said = await refusal(f"sqlite:///{unprivileged}/shop.db")
    assert said.endswith("; check that the path is right and that this user may write there")


async def test_a_server_that_is_away_is_named_without_its_password(
    stoppable_postgres: StoppablePostgres,
) -> None:
    stoppable_postgres.shut_down()
    url = stoppable_postgres.url.replace("postgres:@", "postgres:sesame@")
    said = await refusal(f"{url}&password=sesame")
    assert said.startswith("cannot open the database postgresql://postgres:***@")
    assert "sesame" not in said
    assert said.endswith("; check that it runs, and that the URL (--database) is right")


async def test_a_server_that_does_not_answer_is_given_up(
    stoppable_postgres: StoppablePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seam.persistence.postgresql.START_TIMEOUT", 0.5)
    stoppable_postgres.freeze()
    async with asyncio.timeout(10):
        assert "it does not answer" in await refusal(stoppable_postgres.url)


@pytest.mark.parametrize("name", ["a b", "a#b", "ä", "a&mode=memory", "file:a"])
async def test_a_path_of_any_name_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    file = tmp_path / name / "shop.db"
    await fill(file, 1)
    assert file.is_file()


async def test_a_database_that_was_closed_has_left_nothing_open(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite leaves its log beside the file as long as somebody has that open."""
    asked = threading.Event()
    ask = SqliteBackend._ask

    def slowly(self: SqliteBackend) -> sqlite3.Connection | None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("SELECT count(*) FROM note").fetchone()
            asked.set()
            time.sleep(0.2)
            return ask(self)

    monkeypatch.setattr(SqliteBackend, "_ask", slowly)
    async with open_database(f"sqlite:///{file}", Table.metadata):
        # The monitor's question is under way.
        assert await asyncio.to_thread(asked.wait, 10)
    assert sorted(each.name for each in file.parent.iterdir()) == ["shop.db"]


async def test_a_file_that_nobody_waits_for_any_more_is_closed_once_it_was_examined(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    examine = SqliteBackend._examine

    def slowly(self: SqliteBackend) -> None:
        begun.set()
        time.sleep(0.2)
        examine(self)

    async def start() -> None:
        async with open_database(f"sqlite:///{file}", Table.metadata):
            raise AssertionError("it was opened")

    monkeypatch.setattr(SqliteBackend, "_examine", slowly)
    starting = asyncio.create_task(start())
    assert await asyncio.to_thread(begun.wait, 10)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert sorted(each.name for each in file.parent.iterdir()) == ["shop.db"]
