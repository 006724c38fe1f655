"""Looks at a database and tells whether its tables are those that a service's code is written for.

Versions run side by side, so a schema that newer code has made is good as long as its tables fit.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.schema import BLANK_SCHEMA

from seam.persistence.migrations.revisions import MigrationError, Migrations
from seam.persistence.tables import MisfitError, check_tables

VERSION_TABLE: Final = "alembic_version"


class BehindError(Exception):
    """A database lacks revisions that the service's code needs.

    Attributes:
        service: whose database it is.
        version: the revision that it is at; None before the first.
        head: the revision that is needed.
    """

    def __init__(self, service: str, version: str | None, head: str) -> None:
        """Say where the database is, and where it should be."""
        at = "before the first revision" if version is None else f"at revision {version}"
        super().__init__(f"it is {at}, and this version needs {head}")
        self.service = service
        self.version = version
        self.head = head


def schema_of(connection: Connection, migrations: Migrations) -> str | None:
    """The schema that a service's tables are in; None in SQLite, where they have a file."""
    return migrations.service if connection.dialect.name == "postgresql" else None


def without_schema(tables: MetaData) -> MetaData:
    """The tables as revisions know them: in whatever schema the connection is."""
    bare = MetaData()
    for table in tables.sorted_tables:
        # None and BLANK_SCHEMA are documented; the annotations of SQLAlchemy do without them.
        table.to_metadata(
            bare,
            schema=None,  # type: ignore[arg-type]
            referred_schema_fn=lambda *_: BLANK_SCHEMA,  # type: ignore[arg-type]
        )
    return bare


def version_of(connection: Connection, migrations: Migrations) -> str | None:
    """The revision that a database is at, or None before the first.

    Raises:
        MisfitError: it is at several.
    """
    schema = schema_of(connection, migrations)
    if not inspect(connection).has_table(VERSION_TABLE, schema=schema):
        return None
    quote = connection.dialect.identifier_preparer.quote
    table = VERSION_TABLE if schema is None else f"{quote(schema)}.{VERSION_TABLE}"
    versions = connection.execute(text(f"SELECT version_num FROM {table}")).scalars().all()  # noqa: S608
    if len(versions) > 1:
        raise MisfitError(f"its table {VERSION_TABLE} has {len(versions)} rows; expected one")
    return str(versions[0]) if versions else None


def check_schema(connection: Connection, migrations: Migrations) -> None:
    """Check that a service's code can work with a database as it is.

    Raises:
        BehindError: revisions are to be run first.
        MisfitError: it holds something else.
    """
    version = version_of(connection, migrations)
    try:
        pending = migrations.pending(version)
    except MigrationError as error:
        raise MisfitError(str(error)) from None
    if pending:
        raise BehindError(migrations.service, version, migrations.head)
    missing = check_tables(connection, migrations.tables)
    if missing:
        raise MisfitError(f"it has no table {missing[0].name}")
