"""The commands that look after tables, as a user meets them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, make_url

from seam.bus import Registration
from seam.persistence.migrations import Migrations
from seam.runtime import Resources, Service, main
from seam.runtime.service import GrpcServicer

Answers = Sequence[Registration | GrpcServicer]


def service(name: str) -> Service:
    """A service with a table."""
    tables = MetaData(schema=name)
    Table("note", tables, Column("number", Integer, primary_key=True))

    @asynccontextmanager
    async def start(resources: Resources) -> AsyncIterator[Answers]:
        async with resources.database(tables):
            yield ()

    return Service(name=name, start=start, migrations=Migrations(tables, Path("versions")))


@asynccontextmanager
async def idle(resources: Resources) -> AsyncIterator[Answers]:
    yield ()


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
    with op.batch_alter_table("note") as table:
        table.alter_column("number", type_=sa.BigInteger())
        table.add_column(sa.Column("words", sa.String()))

def downgrade():
    with op.batch_alter_table("note") as table:
        table.drop_column("words")
"""


class Program:
    """An artifact of two services with tables and one without, in a folder of its own."""

    def __init__(
        self,
        directory: Path,
        patch: pytest.MonkeyPatch,
        captured: pytest.CaptureFixture[str],
    ) -> None:
        self.directory = directory
        self._patch = patch
        self._captured = captured
        patch.chdir(directory)
        (directory / "versions").mkdir()
        (directory / "versions" / "0001_first_tables.py").write_text(FIRST)

    def add_revision(self) -> None:
        (self.directory / "versions" / "0002_say_more.py").write_text(SECOND)

    def __call__(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        services = (service("one"), service("two"), Service(name="idle", start=idle))
        self._captured.readouterr()
        with self._patch.context() as patch:
            patch.setattr("sys.argv", ["both", *arguments])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main("both", services, whole_system=True)
        output, errors = self._captured.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else 0, output, errors


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


def test_migrate_brings_every_service_to_the_head_and_tells_what_it_ran(program: Program) -> None:
    first = "one: ran 0001 first tables\none: at 0001\ntwo: ran 0001 first tables\ntwo: at 0001\n"
    assert program("migrate")[:2] == (0, first)
    assert program("migrate", "--check")[:2] == (0, "")
    program.add_revision()
    behind = "it is at revision 0001, and this version needs 0002"
    assert program("migrate", "--check")[:2] == (1, f"one: {behind}\ntwo: {behind}\n")
    assert program("migrate", "two")[:2] == (0, "two: ran 0002 say more\ntwo: at 0002\n")
    assert program("migrate", "--check")[:2] == (1, f"one: {behind}\n")
    assert program("migrate", "two")[:2] == (0, "two: at 0002\n")


def test_downgrade_goes_back(program: Program) -> None:
    program.add_revision()
    program("migrate", "one")
    assert program("downgrade", "one", "0001")[:2] == (
        0,
        "one: undid 0002 say more\none: at 0001\n",
    )
    assert program("downgrade", "one", "base")[:2] == (
        0,
        "one: undid 0001 first tables\none: at base\n",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["migrate", "three"], "both: 'three' has no tables here; expected one, two"),
        (["migrate", "idle"], "both: 'idle' has no tables here; expected one, two"),
        (["migrate", "--since", "0001"], "--since goes with --sql"),
        (["migrate", "--sql", "--since", "7"], "one has no revision '7'; expected base, 0001"),
        (["migrate", "--admin-url", "x"], "--admin-url: expected postgresql://ADMIN@HOST"),
        (
            ["migrate", "--admin-url", "postgresql://a@h/d"],
            "--admin-url: no service here has a PostgreSQL database",
        ),
        (
            [
                *("migrate", "--admin-url", "postgresql://a@h/d"),
                *("--database", "one=postgresql://x@h/d", "--database", "two=postgresql://x@h/d"),
            ],
            "one and two have one role, 'x': give each its own",
        ),
        (["downgrade", "one", "7"], "one has no revision '7'; expected base, 0001"),
        (["downgrade", "one", "0001"], "it is at base, which is before 0001"),
        (["migrate", "--topology", "none.toml"], "none.toml: cannot read the topology"),
        (
            ["migrate", "--database", "one=postgresql://me:sesame@127.0.0.1:1/shop"],
            "cannot open the database postgresql://me:***@127.0.0.1:1/shop: ",
        ),
        (
            ["migrate", "--check", "--database", "one=postgresql://me:sesame@127.0.0.1:1/shop"],
            "cannot open the database postgresql://me:***@127.0.0.1:1/shop: ",
        ),
    ],
)
def test_what_cannot_be_done_ends_the_program_with_what_was_expected(
    program: Program, arguments: list[str], expected: str
) -> None:
    code, _, errors = program(*arguments)
    assert code == 2
    assert errors.startswith("both: ")
    assert expected in errors
    assert "sesame" not in errors


@pytest.mark.parametrize("command", ["migrate", "downgrade"])
def test_each_command_explains_itself(program: Program, command: str) -> None:
    code, output, _ = program(command, "--help")
    assert code == 0
    assert f"Usage: both {command}" in output


def test_a_process_does_not_start_on_a_configured_database_that_is_behind(
    program: Program,
) -> None:
    code, _, errors = program("--http", "127.0.0.1:0", "--database", "two=sqlite:///two.db")
    assert code == 2
    assert "of two: it is before the first revision, and this version needs 0001; run" in errors
    assert "'migrate two' with the same settings first" in errors


def test_the_sql_for_a_file_makes_what_the_command_makes(program: Program) -> None:
    program.add_revision()
    _, sql, _ = program("migrate", "one", "--sql")
    run_sqlite(program.directory / "by-hand.db", sql)
    flag = f"one=sqlite:///{program.directory}/by-hand.db"
    assert program("migrate", "one", "--check", "--database", flag)[0] == 0


def test_the_sql_since_a_revision_is_what_comes_after_it(program: Program) -> None:
    _, sql, _ = program("migrate", "one", "--sql")
    file = program.directory / "by-hand.db"
    run_sqlite(file, sql + "INSERT INTO note VALUES (7);")
    program.add_revision()
    _, sql, _ = program("migrate", "one", "--sql", "--since", "0001")
    run_sqlite(file, sql)
    flag = f"one=sqlite:///{file}"
    assert program("migrate", "one", "--check", "--database", flag)[0] == 0
    assert run_sqlite(file, "", "SELECT number, words FROM note") == [(7, None)]
    assert program("migrate", "one", "--sql", "--since", "0002")[1].splitlines()[1:] == [""]


def run_sqlite(file: Path, script: str, query: str = "SELECT 1") -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)
        return connection.execute(query).fetchall()


@pytest.fixture
def admin_url(postgres_server: Any) -> Iterator[str]:
    postgres_server.psql("CREATE DATABASE commands;")
    url = make_url(postgres_server.get_uri()).set(database="commands")
    yield url.render_as_string(hide_password=False)
    postgres_server.psql("DROP DATABASE commands WITH (FORCE);")
    postgres_server.psql("DROP ROLE IF EXISTS one; DROP ROLE IF EXISTS two;")


def shared(admin_url: str) -> list[str]:
    """One setting that gives each service a role of its own on the server."""
    url = make_url(admin_url).set(username="{service}").render_as_string()
    return ["--database", "default=" + url.replace("%7Bservice%7D", "{service}")]


def test_an_administrator_s_url_makes_roles_schemas_and_tables(
    program: Program, admin_url: str
) -> None:
    flags = shared(admin_url)
    code, _, errors = program("migrate", *flags)
    assert code == 2
    assert 'role "one" does not exist' in errors
    for _ in range(2):
        code, output, _ = program("migrate", *flags, SEAM_ADMIN_URL=admin_url)
        assert code == 0
        assert "one: role one has schema one of commands, and no more\n" in output
        assert output.endswith("two: at 0001\n")
    assert program("migrate", "--check", *flags)[0] == 0
    program.add_revision()
    code, output, _ = program("migrate", *flags)
    assert (code, output.count("ran 0002")) == (0, 2)
    assert program("downgrade", "one", "0001", *flags)[0] == 0


def test_the_sql_that_is_printed_makes_what_the_command_makes(
    program: Program, admin_url: str, postgres_server: Any
) -> None:
    program.add_revision()
    flags = shared(admin_url)
    code, sql, _ = program("migrate", "--sql", *flags)
    assert code == 0
    postgres_server.psql(f"\\c commands\n\\set ON_ERROR_STOP on\n{sql}")
    assert program("migrate", "--check", *flags)[0] == 0
    assert program("migrate", *flags)[:2] == (0, "one: at 0002\ntwo: at 0002\n")


def test_a_role_without_a_schema_is_told_who_can_make_one(
    program: Program, admin_url: str, postgres_server: Any
) -> None:
    postgres_server.psql("CREATE ROLE one LOGIN;")
    code, _, errors = program("migrate", "one", *shared(admin_url))
    assert code == 2
    assert (
        "one has no schema yet, and its role may not create one: run 'migrate one' with" in errors
    )
