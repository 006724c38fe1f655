"""Revisions on real databases: all of one or nothing, once, up and down, whoever runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, inspect, text

from seam.persistence import CannotOpenDatabaseError
from seam.persistence.migrations import MigrationError, Migrations
from seam.persistence.migrations.connection import look, run_in_transaction
from seam.persistence.migrations.schema import schema_of, version_of
from seam.persistence.migrations.status import problem
from seam.persistence.migrations.steps import downgrade, upgrade
from seam.testing.databases import StoppablePostgres

HEAD = """
import sqlalchemy as sa
from alembic import op
revision = "{number}"
down_revision = {before!r}
"""

FIRST = """
def upgrade():
    op.create_table(
        "author",
        sa.Column("name", sa.String(), primary_key=True),
    )
    op.create_table(
        "note",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("author", sa.String(), sa.ForeignKey("author.name"), nullable=False),
    )

def downgrade():
    op.drop_table("note")
    op.drop_table("author")
"""

SECOND = """
def upgrade():
    with op.batch_alter_table("author") as table:
        table.add_column(sa.Column("born", sa.Integer()))
        table.create_check_constraint("born_late", "born > 1800")

def downgrade():
    with op.batch_alter_table("author") as table:
        table.drop_constraint("born_late")
        table.drop_column("born")
"""

FAILING = """
def upgrade():
    op.create_table("more", sa.Column("number", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO author (name) VALUES ('half')")
    op.execute("INSERT INTO note (number, author) VALUES (9, 'half')")
    op.execute("INSERT INTO nowhere VALUES (1)")

def downgrade():
    pass
"""

SLOW = """
import time
from pathlib import Path

def upgrade():
    op.execute("INSERT INTO author (name) VALUES ('half')")
    op.create_table("more", sa.Column("number", sa.Integer(), primary_key=True))
    Path({marker!r}).write_text("running")
    time.sleep({seconds})

def downgrade():
    op.drop_table("more")
"""

MORE = """    op.execute("SELECT 1")

def downgrade"""

PROGRAM = """
import sys
from pathlib import Path
from sqlalchemy import MetaData
from seam.persistence.migrations import Migrations
from seam.persistence.migrations.steps import upgrade
url, directory = sys.argv[1:]
print(",".join(upgrade(url, Migrations(MetaData(schema="notes"), Path(directory)))))
"""


def written(directory: Path, *bodies: str) -> Migrations:
    """Revisions of a service named `notes`, in the order of their bodies."""
    directory.mkdir(exist_ok=True)
    for file in directory.glob("*.py"):
        file.unlink()
    before = None
    for index, body in enumerate(bodies, start=1):
        number = f"{index:04}"
        head = HEAD.format(number=number, before=before)
        (directory / f"{number}_step_{index}.py").write_text(head + body)
        before = number
    return Migrations(MetaData(schema="notes"), directory)


def run(url: str, *statements: str) -> list[Any]:
    def work(connection: Connection) -> list[Any]:
        rows: list[Any] = []
        for statement in statements:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    return run_in_transaction(url, "notes", work)


def tables(url: str) -> set[str]:
    return look(url, lambda c: set(inspect(c).get_table_names(schema_of(c, of_notes())))) or set()


def of_notes() -> Migrations:
    return Migrations(MetaData(schema="notes"), Path())


def version(url: str) -> str | None:
    return look(url, lambda connection: version_of(connection, of_notes()))


def popen(url: str, migrations: Migrations) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(migrations.directory)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_revisions_are_run_in_their_order_and_once(database_url: str, tmp_path: Path) -> None:
    migrations = written(tmp_path / "versions", FIRST, SECOND)
    told: list[tuple[str, int]] = []
    assert problem(database_url, migrations) is not None
    steps = upgrade(database_url, migrations, lambda name, left: told.append((name, left)))
    assert steps == ("0001", "0002")
    assert told == [("0001 step 1", 2), ("0002 step 2", 1)]
    assert upgrade(database_url, migrations) == ()
    assert problem(database_url, migrations) is None
    assert tables(database_url) == {"author", "note", "alembic_version"}


def test_rows_outlive_the_way_up_and_down(database_url: str, tmp_path: Path) -> None:
    upgrade(database_url, written(tmp_path / "versions", FIRST))
    run(database_url, "INSERT INTO author VALUES ('Ann')", "INSERT INTO note VALUES (1, 'Ann')")
    migrations = written(tmp_path / "versions", FIRST, SECOND)
    upgrade(database_url, migrations)
    run(database_url, "UPDATE author SET born = 1900")
    read = "SELECT number, name FROM note JOIN author ON author = name"
    assert run(database_url, read) == [(1, "Ann")]
    assert downgrade(database_url, migrations, "0001") == ("0002",)
    assert run(database_url, "SELECT * FROM author") == [("Ann",)]
    assert run(database_url, read) == [(1, "Ann")]
    assert upgrade(database_url, migrations) == ("0002",)
    assert downgrade(database_url, migrations, "base") == ("0002", "0001")
    assert tables(database_url) == {"alembic_version"}
    assert version(database_url) is None


def test_a_revision_that_fails_leaves_nothing_half_done(database_url: str, tmp_path: Path) -> None:
    migrations = written(tmp_path / "versions", FIRST, FAILING)
    with pytest.raises(MigrationError) as caught:
        upgrade(database_url, migrations)
    assert str(caught.value).startswith(
        "the database of notes: revision 0002 failed, and nothing of that was kept: "
    )
    assert "nowhere" in str(caught.value)
    assert version(database_url) == "0001"
    assert tables(database_url) == {"author", "note", "alembic_version"}
    assert run(database_url, "SELECT * FROM author") == []
    good = FAILING.replace("nowhere VALUES (1)", "more VALUES (1)")
    assert upgrade(database_url, written(tmp_path / "versions", FIRST, good)) == ("0002",)


def test_rows_that_lose_what_they_refer_to_are_found(database_url: str, tmp_path: Path) -> None:
    losing = 'def upgrade():\n    op.execute("DELETE FROM author")\ndef downgrade():\n    pass\n'
    upgrade(database_url, written(tmp_path / "versions", FIRST))
    run(database_url, "INSERT INTO author VALUES ('Ann')", "INSERT INTO note VALUES (1, 'Ann')")
    with pytest.raises(MigrationError, match="revision 0002 failed"):
        upgrade(database_url, written(tmp_path / "versions", FIRST, losing))
    assert run(database_url, "SELECT * FROM author") == [("Ann",)]


def test_a_process_that_is_killed_leaves_nothing_half_done(
    database_url: str, tmp_path: Path
) -> None:
    marker = tmp_path / "running"
    slow = SLOW.format(marker=str(marker), seconds=60)
    migrations = written(tmp_path / "versions", FIRST, slow)
    with popen(database_url, migrations) as process:
        _wait_for(marker)
        process.send_signal(signal.SIGKILL)
    assert version(database_url) == "0001"
    assert tables(database_url) == {"author", "note", "alembic_version"}
    assert run(database_url, "SELECT * FROM author") == []
    quick = SLOW.format(marker=str(marker), seconds=0)
    assert upgrade(database_url, written(tmp_path / "versions", FIRST, quick)) == ("0002",)


def test_a_server_that_goes_away_meanwhile_is_told_and_leaves_nothing_half_done(
    stoppable_postgres: StoppablePostgres, tmp_path: Path
) -> None:
    marker = tmp_path / "running"
    slow = SLOW.format(marker=str(marker), seconds=1)
    migrations = written(tmp_path / "versions", FIRST, slow.replace("def downgrade", MORE))

    def kill() -> None:
        _wait_for(marker)
        stoppable_postgres.kill()

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(MigrationError, match="the database of notes: revision 0002 failed"):
        upgrade(stoppable_postgres.url, migrations)
    killing.join()
    stoppable_postgres.start()
    assert version(stoppable_postgres.url) == "0001"
    assert tables(stoppable_postgres.url) == {"author", "note", "alembic_version"}


def test_two_processes_at_once_run_each_revision_once(database_url: str, tmp_path: Path) -> None:
    marker = tmp_path / "running"
    slow = SLOW.format(marker=str(marker), seconds=0.5)
    migrations = written(tmp_path / "versions", FIRST, slow, SECOND)
    processes = [popen(database_url, migrations) for _ in range(3)]
    ran = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(",".join(filter(None, ran)).split(",")) == ["0001", "0002", "0003"]
    assert run(database_url, "SELECT name FROM author") == [("half",)]


def _wait_for(file: Path) -> None:
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_only_a_revision_that_is_there_and_before_can_be_gone_back_to(
    database_url: str, tmp_path: Path
) -> None:
    upgrade(database_url, written(tmp_path / "versions", FIRST))
    migrations = written(tmp_path / "versions", FIRST, SECOND)
    with pytest.raises(MigrationError, match="no revision '7'; expected base, 0001, 0002"):
        downgrade(database_url, migrations, "7")
    with pytest.raises(MigrationError, match="it is at 0001, which is before 0002"):
        downgrade(database_url, migrations, "0002")
    assert downgrade(database_url, migrations, "0001") == ()


def test_a_database_of_newer_code_is_left_alone(database_url: str, tmp_path: Path) -> None:
    upgrade(database_url, written(tmp_path / "new", FIRST, SECOND))
    older = written(tmp_path / "old", FIRST)
    assert upgrade(database_url, older) == ()
    assert problem(database_url, older) is None
    with pytest.raises(MigrationError, match="at revision 0002, which this version does not know"):
        downgrade(database_url, older, "base")


@pytest.mark.parametrize("strange", ["abc", "0000", "00020"])
def test_a_revision_that_can_be_nobody_s_is_refused(
    database_url: str, tmp_path: Path, strange: str
) -> None:
    migrations = written(tmp_path / "versions", FIRST)
    upgrade(database_url, migrations)
    run(database_url, f"UPDATE alembic_version SET version_num = '{strange}'")
    said = f"it is at revision '{strange}', which is none of notes: expected one of 0001"
    with pytest.raises(MigrationError, match=said):
        upgrade(database_url, migrations)
    assert said in str(problem(database_url, migrations))


BEFORE = (
    "CREATE TABLE author (name VARCHAR NOT NULL PRIMARY KEY)",
    "CREATE TABLE note (number INTEGER NOT NULL PRIMARY KEY, author VARCHAR NOT NULL)",
    "INSERT INTO author VALUES ('Ann')",
)


def test_tables_from_before_there_were_revisions_are_taken_over(
    database_url: str, tmp_path: Path
) -> None:
    run(database_url, *BEFORE)
    migrations = written(tmp_path / "versions", FIRST, SECOND)
    assert upgrade(database_url, migrations) == ("0001", "0002")
    assert run(database_url, "SELECT name, born FROM author") == [("Ann", None)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DROP TABLE note", "it has some tables of notes, and no table note"),
        ("ALTER TABLE note ADD COLUMN more INTEGER", "its table note has a column more, which"),
        ("ALTER TABLE note DROP COLUMN author", "its table note has no column author"),
    ],
)
def test_tables_that_are_not_those_of_the_first_revision_are_left_alone(
    database_url: str, tmp_path: Path, statement: str, expected: str
) -> None:
    run(database_url, *BEFORE, statement)
    before = tables(database_url)
    with pytest.raises(MigrationError, match=expected):
        upgrade(database_url, written(tmp_path / "versions", FIRST, SECOND))
    assert tables(database_url) == before
    assert run(database_url, "SELECT name FROM author") == [("Ann",)]


def test_a_file_that_holds_something_else_too_is_no_reason_to_stop(
    database_url: str, tmp_path: Path
) -> None:
    run(database_url, "CREATE TABLE other (number INTEGER)")
    assert upgrade(database_url, written(tmp_path / "versions", FIRST)) == ("0001",)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    migrations = written(tmp_path / "versions", FIRST)
    url = f"sqlite:///{tmp_path}/notes.db"
    assert (
        problem(url, migrations) == "it is before the first revision, and this version needs 0001"
    )
    assert not (tmp_path / "notes.db").exists()


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    migrations = written(tmp_path / "versions", FIRST)
    for work in (lambda url: upgrade(url, migrations), lambda url: problem(url, migrations)):
        with pytest.raises(CannotOpenDatabaseError) as caught:
            work("postgresql://me:sesame@127.0.0.1:1/shop")
        said = str(caught.value)
        assert said.startswith("cannot open the database postgresql://me:***@127.0.0.1:1/shop: ")
        assert said.endswith("; check that it runs, and that the URL is right")


def test_a_folder_without_revisions_is_named(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=f"notes has no revisions in {tmp_path}/none"):
        upgrade(
            f"sqlite:///{tmp_path}/a.db", Migrations(MetaData(schema="notes"), tmp_path / "none")
        )
