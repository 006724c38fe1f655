"""Migrations that are written wrong on purpose: each is caught, and told what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
)

from seam.persistence.migrations import Migrations
from seam.testing.migrations import (
    WrongMigrationError,
    check_chain,
    check_expansion,
    check_models,
    check_reversal,
)

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
        sa.Column("colour", sa.String()),
        sa.Column("born", sa.BigInteger(), server_default="7", nullable=False),
        sa.Column("mood", sa.String(), nullable=False),
        sa.CheckConstraint("mood IN ('good', 'bad')", name="mood_is_known"),
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

ADDING = """
def upgrade():
    with op.batch_alter_table("author") as table:
        table.add_column(sa.Column("size", sa.String(), server_default="S", nullable=False))
        table.create_check_constraint("size_is_known", "size IN ('S', 'L')")
    op.create_index("author_by_size", "author", ["size"])
    op.create_table("more", sa.Column("number", sa.Integer(), primary_key=True))

def downgrade():
    op.drop_table("more")
    op.drop_index("author_by_size", "author")
    with op.batch_alter_table("author") as table:
        table.drop_constraint("size_is_known")
        table.drop_column("size")
"""


def revision(up: str, down: str = "pass", more: str = "") -> str:
    return f"{more}\ndef upgrade():\n    {up}\n\ndef downgrade():\n    {down}\n"


def in_batch(statement: str, table: str = "author") -> str:
    return f'with op.batch_alter_table("{table}") as table:\n        table.{statement}'


DROPPING = in_batch('drop_column("colour")')
BACK = in_batch('add_column(sa.Column("colour", sa.String()))')
OBSOLETE = revision("pass", more='obsolete = ("author.colour",)')


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "versions"


def written(directory: Path, *bodies: str, tables: MetaData | None = None) -> Migrations:
    """Revisions of a service named `notes`, in the order of their bodies."""
    directory.mkdir(exist_ok=True)
    before = None
    for index, body in enumerate(bodies, start=1):
        number = f"{index:04}"
        head = HEAD.format(number=number, before=before)
        (directory / f"{number}_step_{index}.py").write_text(head + body)
        before = number
    return Migrations(tables or MetaData(schema="notes"), directory)


def models() -> MetaData:
    """The tables that `FIRST` makes."""
    metadata = MetaData(schema="notes")
    Table(
        "author",
        metadata,
        Column("name", String, primary_key=True),
        Column("colour", String),
        Column("born", Integer, server_default="7", nullable=False),
        Column("mood", String, nullable=False),
        CheckConstraint("mood IN ('good', 'bad')", name="mood_is_known"),
    )
    Table(
        "note",
        metadata,
        Column("number", Integer, primary_key=True),
        Column("author", ForeignKey("notes.author.name"), nullable=False),
    )
    return metadata


def test_good_revisions_pass_every_check(directory: Path, database_url: str) -> None:
    migrations = written(directory, FIRST, ADDING)
    check_chain(migrations)
    check_expansion(database_url, migrations)


def test_good_revisions_can_be_undone(directory: Path, database_url: str) -> None:
    check_reversal(database_url, written(directory, FIRST, ADDING))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("0003_later.py", ADDING), "0003_later.py: revision 0002 is missing"),
        (
            ("0001_other.py", ADDING),
            "0001_other.py and 0001_step_1.py are two heads: give the one that comes later the",
        ),
        (("0002_a.py", "def upgrade(:\n"), "0002_a.py:1: "),
        (
            ("0002_a.py", "import nowhere"),
            "0002_a.py:1: ModuleNotFoundError: No module named 'nowhere'",
        ),
        (("two.py", ADDING), "two.py: expected a name such as 0002_what_it_does.py"),
        (
            ("0002_a.py", HEAD.format(number="0002", before=None) + ADDING),
            "0002_a.py: down_revision is None; expected '0001'",
        ),
        (("0002_a.py", ADDING), "cannot be loaded: "),
        (
            ("0002_a.py", HEAD.format(number="0002", before="0001") + "def upgrade(): pass"),
            "0002_a.py: it has no function downgrade",
        ),
    ],
)
def test_a_chain_with_a_fault_is_refused(
    directory: Path, change: tuple[str, str], expected: str
) -> None:
    migrations = written(directory, FIRST)
    (directory / change[0]).write_text(change[1])
    with pytest.raises(WrongMigrationError) as caught:
        check_chain(migrations)
    assert expected in str(caught.value)


def test_a_service_without_revisions_is_refused(directory: Path) -> None:
    with pytest.raises(WrongMigrationError, match="notes has no revisions in "):
        check_chain(written(directory))


BREAKING = {
    "drops a column": (
        revision(DROPPING),
        "drops or renames the column author.colour, which the version before may use: first release"
        ' a version that does without, with obsolete = ("author.colour",) in a revision of its own',
    ),
    "drops a column by SQL": (
        revision('op.execute("ALTER TABLE author DROP COLUMN colour")'),
        "drops or renames the column author.colour",
    ),
    "renames a column": (
        revision(in_batch('alter_column("colour", new_column_name="color")')),
        "drops or renames the column author.colour",
    ),
    "drops a table": (revision('op.drop_table("note")'), "drops or renames the table note"),
    "renames a table": (
        revision('op.rename_table("note", "notes")'),
        "drops or renames the table note",
    ),
    "adds what must be filled": (
        revision(in_batch('add_column(sa.Column("size", sa.String(), nullable=False))')),
        "cannot be run on tables with rows: ",
    ),
    "adds what must be filled from now on": (
        revision(
            'with op.batch_alter_table("author") as table:\n'
            '        table.add_column(sa.Column("size", sa.String(), server_default="S"))\n'
            "    op.execute(\"UPDATE author SET size = 'L'\")\n"
            '    with op.batch_alter_table("author") as table:\n'
            '        table.alter_column("size", server_default=None, nullable=False)'
        ),
        "adds the column author.size, NOT NULL and without a default",
    ),
    "makes a column NOT NULL": (
        revision(in_batch('alter_column("colour", nullable=False)')),
        "makes author.colour NOT NULL",
    ),
    "takes a default away": (
        revision(in_batch('alter_column("born", server_default=None)')),
        "takes the default of author.born away",
    ),
    "narrows a type": (
        revision(
            in_batch('alter_column("born", type_=sa.Integer(), existing_type=sa.BigInteger())')
        ),
        "makes author.born INTEGER, which was BIGINT",
    ),
    "asks for more": (
        revision(in_batch('create_check_constraint("has_colour", "colour IS NOT NULL")')),
        "adds the constraint author.has_colour",
    ),
    "asks for one of each": (
        revision('op.create_index("one_note", "note", ["author"], unique=True)'),
        "adds the constraint note.one_note",
    ),
    "changes rows": (
        revision("op.execute(\"UPDATE author SET colour = 'red'\")"),
        "changes rows of author under the version before",
    ),
}


@pytest.mark.parametrize(("body", "expected"), BREAKING.values(), ids=BREAKING)
def test_a_revision_that_breaks_the_version_before_is_refused(
    directory: Path, database_url: str, body: str, expected: str
) -> None:
    # Filled, so that it can be made NOT NULL.
    filled = FIRST.replace('"colour", sa.String()', '"colour", sa.String(), server_default="red"')
    first = filled if "NOT NULL" in expected and "makes" in expected else FIRST
    with pytest.raises(WrongMigrationError) as caught:
        check_expansion(database_url, written(directory, first, body))
    assert str(caught.value).startswith(f"revision 0002 of notes {expected}")


def test_what_no_look_at_tables_shows_is_found_by_doing_as_the_version_before_does(
    directory: Path, database_url: str
) -> None:
    postgresql = """
    op.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''no more notes''; END'"
    )
    op.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION refuse()"
    )"""
    sqlite = """
    op.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON note "
        "BEGIN SELECT RAISE(ABORT, 'no more notes'); END"
    )"""
    body = sqlite if database_url.startswith("sqlite") else postgresql
    with pytest.raises(WrongMigrationError) as caught:
        check_expansion(database_url, written(directory, FIRST, revision(body.lstrip())))
    assert str(caught.value).startswith(
        "revision 0002 of notes breaks the version before: an insert into note fails: "
    )
    assert "no more notes" in str(caught.value)


def test_a_column_may_go_after_a_version_that_has_done_without(
    directory: Path, database_url: str
) -> None:
    migrations = written(directory, FIRST, OBSOLETE, revision(DROPPING, BACK))
    check_expansion(database_url, migrations)


def test_a_dropped_column_may_come_back_empty(directory: Path, database_url: str) -> None:
    migrations = written(directory, FIRST, OBSOLETE, revision(DROPPING, BACK))
    check_reversal(database_url, migrations)


def test_a_column_may_not_go_with_the_version_that_calls_it_obsolete(
    directory: Path, database_url: str
) -> None:
    body = revision(DROPPING, BACK, more='obsolete = ("author.colour",)')
    with pytest.raises(WrongMigrationError, match="drops or renames the column"):
        check_expansion(database_url, written(directory, FIRST, body))


def test_a_constraint_may_come_when_the_version_before_keeps_to_it(
    directory: Path, database_url: str
) -> None:
    body = revision(
        in_batch('create_check_constraint("has_colour", "length(mood) > 2")'),
        more='honoured = ("author.has_colour",)',
    )
    check_expansion(database_url, written(directory, FIRST, body))


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ("pass", "undoing 0002 of notes leaves table more"),
        ("raise NotImplementedError", "revision 0002 of notes cannot be undone: "),
        ('op.drop_table("author")', "revision 0002 of notes cannot be undone: "),
        (
            'op.drop_table("more")\n    op.execute("DELETE FROM note")',
            "the way up and down over 0002 of notes changes rows of note",
        ),
        (
            'op.drop_table("more")\n    op.create_index("x", "note", ["author"])',
            "undoing 0002 of notes leaves index x",
        ),
    ],
)
def test_a_revision_that_cannot_be_undone_is_refused(
    directory: Path, database_url: str, down: str, expected: str
) -> None:
    making = 'op.create_table("more", sa.Column("number", sa.Integer(), primary_key=True))'
    with pytest.raises(WrongMigrationError) as caught:
        check_reversal(database_url, written(directory, FIRST, revision(making, down)))
    what, _, said = expected.partition(" leaves ")
    assert str(caught.value).startswith(what)
    assert said in str(caught.value)


def test_models_that_are_what_revisions_lead_to_pass(directory: Path, database_url: str) -> None:
    first = FIRST.replace("BigInteger", "Integer")
    check_models(database_url, written(directory, first, tables=models()))


def _more(metadata: MetaData) -> None:
    Table("more", metadata, Column("number", Integer, primary_key=True))


def _index(metadata: MetaData) -> None:
    Index("by_mood", metadata.tables["notes.author"].c.mood)


def _check(metadata: MetaData) -> None:
    metadata.tables["notes.author"].append_constraint(CheckConstraint("born > 0", name="is_born"))


def _column(metadata: MetaData) -> None:
    metadata.tables["notes.author"].append_column(Column("size", String))


def _type(metadata: MetaData) -> None:
    metadata.tables["notes.author"].c.colour.type = Integer()


def _null(metadata: MetaData) -> None:
    metadata.tables["notes.author"].c.colour.nullable = False


def _default(metadata: MetaData) -> None:
    metadata.tables["notes.author"].c.born.server_default.arg = "8"  # type: ignore[union-attr]


def _expression(metadata: MetaData) -> None:
    Index("by_length", func.length(metadata.tables["notes.author"].c.mood))


def _beside_tables(metadata: MetaData) -> None:
    def make(_: object, connection: Connection, **__: object) -> None:
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT 1 AS one")

    event.listen(metadata.tables["notes.author"], "after_create", make)


def _without_note(metadata: MetaData) -> None:
    metadata.remove(metadata.tables["notes.note"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_more, "table more is missing"),
        (_index, "index by_mood is missing"),
        (_expression, "index by_length is missing"),
        (_beside_tables, "view seen is missing"),
        (_check, "constraint author.is_born is missing"),
        (_column, "column author.size is missing"),
        (_type, "column author.colour is "),
        (_null, "column author.colour is "),
        (_default, "column author.born is "),
        (_without_note, "is not in the models"),
    ],
)
def test_models_that_differ_are_refused(
    directory: Path, database_url: str, change: object, expected: str
) -> None:
    assert callable(change)
    metadata = models()
    change(metadata)
    first = FIRST.replace("BigInteger", "Integer")
    with pytest.raises(WrongMigrationError) as caught:
        check_models(database_url, written(directory, first, tables=metadata))
    assert "the revisions of notes do not lead to its tables: " in str(caught.value)
    assert expected in str(caught.value)


def _without_colour() -> MetaData:
    metadata = MetaData(schema="notes")
    for table in models().sorted_tables:
        columns = [
            Column(
                column.name,
                column.type,
                *(ForeignKey(key.target_fullname) for key in column.foreign_keys),
                primary_key=column.primary_key,
                nullable=column.nullable,
                server_default=column.server_default,
            )
            for column in table.columns
            if column.name != "colour"
        ]
        Table(table.name, metadata, *columns)
    known = CheckConstraint("mood IN ('good', 'bad')", name="mood_is_known")
    metadata.tables["notes.author"].append_constraint(known)
    return metadata


def test_what_is_obsolete_may_be_there_and_not_in_the_models(
    directory: Path, database_url: str
) -> None:
    first = FIRST.replace("BigInteger", "Integer")
    check_models(database_url, written(directory, first, OBSOLETE, tables=_without_colour()))


def test_what_is_obsolete_must_not_have_to_be_filled(directory: Path, database_url: str) -> None:
    first = FIRST.replace("BigInteger", "Integer").replace(
        '"colour", sa.String()', '"colour", sa.String(), nullable=False'
    )
    migrations = written(directory, first, OBSOLETE, tables=_without_colour())
    with pytest.raises(WrongMigrationError, match="inserts would still have to name it"):
        check_models(database_url, migrations)


def test_what_is_obsolete_is_not_in_the_models(directory: Path, database_url: str) -> None:
    first = FIRST.replace("BigInteger", "Integer")
    with pytest.raises(WrongMigrationError, match="colour is obsolete, and the models"):
        check_models(database_url, written(directory, first, OBSOLETE, tables=models()))
