"""Tables of a service: whether those of a database fit; for tests, making them at once."""

from __future__ import annotations

import warnings
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Inspector, MetaData, Table, inspect, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import TypeDecorator, TypeEngine


class MisfitError(Exception):
    """A database holds other tables than the service expects; the text says where they differ."""


def prepare_tables(connection: Connection, metadata: MetaData) -> None:
    """Create the tables of `metadata` that a database lacks, and check those that it has.

    Raises:
        MisfitError: a table has another shape.
    """
    if connection.dialect.name == "postgresql":
        # Two processes may start at once; the second finds everything there.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": metadata.schema}
        )
        if metadata.schema is not None:
            connection.execute(CreateSchema(metadata.schema, if_not_exists=True))
    metadata.create_all(connection, check_tables(connection, metadata), checkfirst=False)


def check_tables(connection: Connection, metadata: MetaData) -> list[Table]:
    """Check the tables of `metadata` that a database has, and give those that it lacks.

    Raises:
        MisfitError: a table has another shape.
    """
    schema = metadata.schema if connection.dialect.name == "postgresql" else None
    with warnings.catch_warnings():
        # Of types that SQLAlchemy does not know: they are not ours, and an error says so.
        warnings.simplefilter("ignore", SAWarning)
        return _check_all(inspect(connection), schema, metadata)


def _check_all(inspector: Inspector, schema: str | None, metadata: MetaData) -> list[Table]:
    """Check the tables that are there, and give those that are not."""
    there = {*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)}
    for table in metadata.sorted_tables:
        if table.name in there:
            _check(inspector, schema, table)
    return [table for table in metadata.sorted_tables if table.name not in there]


def _check(inspector: Inspector, schema: str | None, table: Table) -> None:
    """Check a table that is there.

    Columns that a newer version has added may be there as well, since versions run side by side.
    """
    found = {column["name"]: column for column in inspector.get_columns(table.name, schema=schema)}
    for column in table.columns:
        if column.name not in found:
            raise MisfitError(f"its table {table.name} has no column {column.name}")
        _check_type(inspector.dialect, column, found[column.name]["type"])
    for name, other in found.items():
        if name not in table.columns and not other["nullable"] and other["default"] is None:
            raise MisfitError(f"its table {table.name} asks for a column {name} that is not known")
    key = inspector.get_pk_constraint(table.name, schema=schema)["constrained_columns"]
    expected = [column.name for column in table.primary_key.columns]
    if sorted(key) != sorted(expected):
        raise MisfitError(
            f"the primary key of its table {table.name} is {', '.join(key) or 'missing'}; "
            f"expected {', '.join(expected)}"
        )


def _check_type(dialect: Dialect, column: Column[Any], found: TypeEngine[Any]) -> None:
    # What a type is may depend on the kind of database.
    expected = column.type.dialect_impl(dialect)
    if isinstance(expected, TypeDecorator):
        expected = expected.impl_instance
    if _python_type(found) is not _python_type(expected):
        raise MisfitError(
            f"its column {column.table.name}.{column.name} is of the type {found!r}; "
            f"expected {expected!r}"
        )


def _python_type(column_type: TypeEngine[Any]) -> type | None:
    try:
        return column_type.python_type
    except NotImplementedError:
        return None
