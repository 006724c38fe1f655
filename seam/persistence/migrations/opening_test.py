"""What a process does at its start with a database that is behind, ahead, or at the head."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from seam.persistence import CannotOpenDatabaseError
from seam.persistence.migrations import MigrationError, Migrations, open_migrated
from seam.persistence.migrations.steps import upgrade

FIRST = """
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None

def upgrade():
    op.create_table("note", sa.Column("number", sa.Integer(), primary_key=True))

def downgrade():
    op.drop_table("note")
"""

SECOND = """
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"

def upgrade():
    {statement}

def downgrade():
    pass
"""

ADDING = 'op.add_column("note", sa.Column("words", sa.String()))'


class Table(SQLModel, registry=registry(metadata=MetaData(schema="notes"))):
    """Tables of a service named `notes`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)


def written(directory: Path, second: str | None = None) -> Migrations:
    directory.mkdir()
    (directory / "0001_first.py").write_text(FIRST)
    if second is not None:
        (directory / "0002_second.py").write_text(SECOND.format(statement=second))
    return Migrations(Table.metadata, directory)


async def opened(url: str, migrations: Migrations, *, embedded: bool) -> None:
    async with open_migrated(url, migrations, embedded=embedded) as database:
        assert await database.problem() is None


async def refusal(url: str, migrations: Migrations, *, embedded: bool = False) -> str:
    with pytest.raises(CannotOpenDatabaseError) as caught:
        await opened(url, migrations, embedded=embedded)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_an_embedded_database_is_migrated_by_the_process_that_opens_it(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/below/notes.db"
    await opened(url, written(tmp_path / "one"), embedded=True)
    await opened(url, written(tmp_path / "two", ADDING), embedded=True)
    # The version before goes on with what newer code has made.
    await opened(url, written(tmp_path / "old"), embedded=True)


async def test_processes_that_open_an_embedded_database_at_once_migrate_it_once(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/notes.db"
    migrations = written(tmp_path / "versions", ADDING)
    await asyncio.gather(*(opened(url, migrations, embedded=True) for _ in range(5)))


async def test_a_database_that_somebody_has_configured_must_have_been_migrated(
    database_url: str, tmp_path: Path
) -> None:
    first, second = written(tmp_path / "one"), written(tmp_path / "two", ADDING)
    said = await refusal(database_url, first)
    assert said.startswith("cannot use the database ")
    assert said.endswith(
        " of notes: it is before the first revision, and this version needs 0001; "
        "run 'migrate notes' with the same settings first"
    )
    await asyncio.to_thread(upgrade, database_url, first)
    await opened(database_url, first, embedded=False)
    assert "it is at revision 0001, and this version needs 0002; run 'migrate notes'" in (
        await refusal(database_url, second)
    )
    await asyncio.to_thread(upgrade, database_url, second)
    await opened(database_url, second, embedded=False)
    await opened(database_url, first, embedded=False)


async def test_newer_tables_that_do_not_fit_are_refused(database_url: str, tmp_path: Path) -> None:
    renaming = 'op.rename_table("note", "remark")'
    await asyncio.to_thread(upgrade, database_url, written(tmp_path / "new", renaming))
    assert "it has no table note" in await refusal(database_url, written(tmp_path / "old"))


async def test_a_revision_that_fails_fails_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/notes.db"
    with pytest.raises(MigrationError, match="revision 0002 failed, and nothing of that was kept"):
        await opened(url, written(tmp_path / "versions", "op.drop_table('x')"), embedded=True)
    await opened(url, written(tmp_path / "good", ADDING), embedded=True)


async def test_an_artifact_that_lacks_its_revisions_says_so(tmp_path: Path) -> None:
    migrations = Migrations(Table.metadata, tmp_path / "none")
    with pytest.raises(MigrationError, match="notes has no revisions in "):
        await opened(f"sqlite:///{tmp_path}/notes.db", migrations, embedded=True)


async def test_a_damaged_file_is_told_from_one_that_is_behind(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("no database" * 1000)
    said = await refusal(f"sqlite:///{tmp_path}/notes.db", written(tmp_path / "one"), embedded=True)
    assert "file is not a database" in said


PROGRAM = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import MetaData
from seam.persistence.migrations import Migrations, open_migrated

async def main():
    migrations = Migrations(MetaData(schema="notes"), Path(sys.argv[2]))
    async with open_migrated(sys.argv[1], migrations, embedded=True):
        print("alembic" in vars(sys)["modules"])

asyncio.run(main())
"""


def test_alembic_is_imported_when_there_is_something_to_run_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_first.py").write_text(FIRST)
    program = [sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path}/notes.db"]
    seen = [
        subprocess.run(
            [*program, str(tmp_path / "versions")],
            env={"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert seen == ["True", "False"]
