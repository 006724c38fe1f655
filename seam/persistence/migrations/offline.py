"""The SQL of migrations, for those who run it by hand."""

from __future__ import annotations

import logging
import sqlite3
import warnings
from io import StringIO

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import NullPool, create_engine

from seam.persistence.migrations.connection import prepare_sqlite
from seam.persistence.migrations.revisions import BASE, MigrationError, Migrations
from seam.persistence.migrations.roles import Role, quoted, role_statements
from seam.persistence.migrations.schema import VERSION_TABLE
from seam.persistence.migrations.steps import load_scripts, run_step


def postgresql_script(migrations: Migrations, role: Role, since: str) -> str:
    """What makes a service's role, its schema and its tables.

    Args:
        migrations: leads to the tables.
        role: who is to have them.
        since: the revision that the database is at, or `base`.

    Raises:
        MigrationError: there is no such revision.
    """
    pending = pending_since(migrations, since)
    roles = ";\n".join(role_statements(role))
    script = f"-- {role.service}: as an administrator, in the database {role.database}.\n"
    script += f"BEGIN;\n{roles};\nCOMMIT;\n\n"
    if pending:
        script += f"-- {role.service}: as the same, or as the role itself.\nBEGIN;\n"
        script += f"SET LOCAL ROLE {quoted(role.name)};\n"
        script += f"SET LOCAL search_path = {quoted(role.service)};\n\n"
        script += f"{_alembic_sql(migrations, pending, since)}COMMIT;\n"
    return script


def sqlite_script(migrations: Migrations, since: str) -> str:
    """What makes a service's tables in a file of SQLite; see `postgresql_script`.

    SQLite changes a table by making a new one of what is there, so this is found out by doing it.
    """
    pending = pending_since(migrations, since)
    if not pending:
        return ""
    said: list[str] = []
    engine = create_engine("sqlite://", poolclass=NullPool)
    prepare_sqlite(engine)
    with engine.begin() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for revision in migrations.revisions:
            if revision == pending[0]:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.set_trace_callback(said.append)
            run_step(connection, migrations, revision)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(None)
    changes = [each.strip() for each in said if not each.startswith(("SELECT", "PRAGMA", "--"))]
    script = ";\n\n".join(changes)
    return f"PRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n\n{script};\n\nCOMMIT;\n"


def pending_since(migrations: Migrations, since: str) -> tuple[str, ...]:
    """What is still to be run on a database at a revision that somebody has named.

    Raises:
        MigrationError: there is no such revision.
    """
    if since != BASE and since not in migrations.revisions:
        expected = ", ".join((BASE, *migrations.revisions))
        raise MigrationError(f"{migrations.service} has no revision '{since}'; expected {expected}")
    return migrations.pending(None if since == BASE else since)


def _alembic_sql(migrations: Migrations, pending: tuple[str, ...], since: str) -> str:
    scripts = load_scripts(migrations)
    steps = [
        MigrationStep.upgrade_from_script(scripts.revision_map, scripts.get_revision(each))
        for each in pending
    ]
    output = StringIO()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    context = MigrationContext.configure(
        dialect_name="postgresql",
        opts={
            "as_sql": True,
            "output_buffer": output,
            "literal_binds": True,
            "starting_rev": None if since == BASE else since,
            "fn": lambda *_: steps,
            "version_table": VERSION_TABLE,
        },
    )
    with Operations.context(context):
        context.run_migrations()
    return output.getvalue()
