"""Runs the revisions of one service, each in a transaction of its own.

Where a database stands is read in the transaction that changes it. So of two processes that
migrate at once, one finds the work done; and one that was killed leaves what the last whole
revision has made.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, NullPool, create_engine, inspect
from sqlalchemy.exc import DBAPIError, SAWarning

from seam.persistence.database import CannotOpenDatabaseError
from seam.persistence.migrations.connection import prepare_sqlite, run_in_transaction
from seam.persistence.migrations.revisions import BASE, MigrationError, Migrations
from seam.persistence.migrations.schema import VERSION_TABLE, schema_of, version_of
from seam.persistence.tables import MisfitError, check_tables

Progress = Callable[[str, int], object]
"""Is told of each step when it begins: the revision's number and title, and how many are left."""

_RUNNING: Final = threading.Lock()
"""A revision's `op` is Alembic's for the whole process, so it can serve one at a time."""


def _ignore(_: str, __: int) -> None:
    pass


def upgrade(url: str, migrations: Migrations, progress: Progress = _ignore) -> tuple[str, ...]:
    """Bring a database to the head.

    Tables that were made before there were revisions are taken over when they are those of the
    first one.

    Returns:
        The revisions that were run.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached.
        MigrationError: a revision failed, or the database holds something else. What earlier
            revisions have done is kept.
    """
    done: list[str] = []
    while (revision := _step(url, migrations, partial(_up, migrations, progress))) is not None:
        done.append(revision)
    return tuple(done)


def downgrade(
    url: str, migrations: Migrations, target: str, progress: Progress = _ignore
) -> tuple[str, ...]:
    """Bring a database back to an earlier revision, or to `base`, which is before the first.

    Returns:
        The revisions that were undone.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached.
        MigrationError: a revision failed, there is no such one, or it is not an earlier one.
    """
    if target != BASE and target not in migrations.revisions:
        expected = ", ".join((BASE, *migrations.revisions))
        raise MigrationError(
            f"{migrations.service} has no revision '{target}'; expected {expected}"
        )
    done: list[str] = []
    down = partial(_down, migrations, target, progress)
    while (revision := _step(url, migrations, down)) is not None:
        done.append(revision)
    return tuple(done)


def run_step(
    connection: Connection, migrations: Migrations, revision: str, *, up: bool = True
) -> None:
    """Run one revision, or undo it, in the transaction that a connection is in."""
    scripts = load_scripts(migrations)
    script = scripts.get_revision(revision)
    make = MigrationStep.upgrade_from_script if up else MigrationStep.downgrade_from_script
    step = make(scripts.revision_map, script)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with _RUNNING:
        context = MigrationContext.configure(
            connection, opts={"fn": lambda *_: [step], "version_table": VERSION_TABLE}
        )
        with Operations.context(context):
            context.run_migrations()
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise MigrationError(f"rows of {broken[0]} refer to rows of {broken[2]} that are gone")


def load_scripts(migrations: Migrations) -> ScriptDirectory:
    """Alembic's own view of the revisions."""
    return ScriptDirectory(migrations.directory, version_locations=[migrations.directory])


def _step(url: str, migrations: Migrations, step: Callable[[Connection], str | None]) -> str | None:
    try:
        return run_in_transaction(url, migrations.service, step)
    except (MigrationError, MisfitError) as error:
        raise MigrationError(f"the database of {migrations.service}: {error}") from None
    except CannotOpenDatabaseError:
        raise
    except (DBAPIError, OSError) as error:
        raise MigrationError(f"the database of {migrations.service}: {_reason(error)}") from error


def _up(migrations: Migrations, progress: Progress, connection: Connection) -> str | None:
    version = version_of(connection, migrations)
    pending = migrations.pending(version)
    if not pending:
        return None
    revision = pending[0]
    progress(f"{revision} {migrations.titles[revision]}", len(pending))
    if version is None and _holds_first_tables(connection, migrations):
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        context.stamp(load_scripts(migrations), revision)
        return revision
    _run(connection, migrations, revision, up=True)
    return revision


def _down(
    migrations: Migrations, target: str, progress: Progress, connection: Connection
) -> str | None:
    version = version_of(connection, migrations)
    if version is not None and migrations.is_newer(version):
        raise MigrationError(
            f"it is at revision {version}, which this version does not know: "
            "use the version that has made it"
        )
    migrations.pending(version)
    at = 0 if version is None else 1 + migrations.revisions.index(version)
    wanted = 0 if target == BASE else 1 + migrations.revisions.index(target)
    if at < wanted:
        raise MigrationError(f"it is at {version or BASE}, which is before {target}")
    if at == wanted or version is None:
        return None
    progress(f"{version} {migrations.titles[version]}", at - wanted)
    _run(connection, migrations, version, up=False)
    return version


def _run(connection: Connection, migrations: Migrations, revision: str, *, up: bool) -> None:
    try:
        run_step(connection, migrations, revision, up=up)
    except Exception as error:
        what = "failed" if up else "could not be undone"
        raise MigrationError(
            f"revision {revision} {what}, and nothing of that was kept: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        # Further lines may hold rows.
        return str(error.orig).partition("\n")[0]
    return str(error) if isinstance(error, MigrationError) else f"{type(error).__name__}: {error}"


def _holds_first_tables(connection: Connection, migrations: Migrations) -> bool:
    """Whether a database without a revision has the tables of the first one.

    Raises:
        MisfitError: it has some of them only, or others of their names.
    """
    first = _tables_of_first_revision(migrations)
    missing = [table.name for table in check_tables(connection, first)]
    if len(missing) == len(first.tables):
        return False
    if missing:
        raise MisfitError(f"it has some tables of {migrations.service}, and no table {missing[0]}")
    inspector = inspect(connection)
    for table in first.tables.values():
        columns = inspector.get_columns(table.name, schema=schema_of(connection, migrations))
        for name in (column["name"] for column in columns):
            if name not in table.columns:
                raise MisfitError(
                    f"its table {table.name} has a column {name}, "
                    "which was not there before the first revision"
                )
    return True


def _tables_of_first_revision(migrations: Migrations) -> MetaData:
    engine = create_engine("sqlite://", poolclass=NullPool)
    prepare_sqlite(engine)
    tables = MetaData()
    with engine.begin() as connection, warnings.catch_warnings():
        # Of what SQLAlchemy cannot reflect, such as an index on an expression.
        warnings.simplefilter("ignore", SAWarning)
        run_step(connection, migrations, migrations.revisions[0])
        tables.reflect(connection)
    tables.remove(tables.tables[VERSION_TABLE])
    return tables
