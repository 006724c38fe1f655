"""Rows that a table takes, made up from what a database knows of it."""

from __future__ import annotations

import datetime
import random
import re
import uuid
import warnings
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, MetaData, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError, SAWarning

from seam.persistence.migrations.schema import VERSION_TABLE
from seam.testing.migrations.wrong import WrongMigrationError

Row: TypeAlias = dict[str, Any]

_TRIES: Final = 300

_VALUES: Final[dict[type, tuple[Any, ...]]] = {
    bool: (False, True),
    bytes: (b"", b"\0"),
    datetime.datetime: (datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC),),
    datetime.date: (datetime.date(2001, 1, 1),),
    Decimal: (Decimal(1),),
    dict: ({},),
    float: (1.0, 0.0),
    int: (1, 0, 2, -1, 100),
    list: ([],),
    str: ("a", "", "A-1", "EUR"),
}


def reflected_tables(connection: Connection, *, but: Collection[str] = ()) -> MetaData:
    """The tables of a database, as code knows them that is written for it now.

    Args:
        connection: to the database.
        but: tables (`item`) and columns (`item.colour`) that the code does not use.
    """
    tables = MetaData()
    hidden = {VERSION_TABLE, *but}
    if connection.dialect.name == "sqlite":
        listed = connection.execute(text("PRAGMA table_list")).mappings()
        hidden |= {each["name"] for each in listed if each["type"] in {"virtual", "shadow"}}
    inspector = inspect(connection)
    with warnings.catch_warnings():
        # Of what SQLAlchemy cannot reflect, such as an index on an expression.
        warnings.simplefilter("ignore", SAWarning)
        for name in inspector.get_table_names():
            if name in hidden:
                continue
            columns = [each["name"] for each in inspector.get_columns(name)]
            used = [each for each in columns if f"{name}.{each}" not in but]
            Table(name, tables, autoload_with=connection, include_columns=used, resolve_fks=False)
    return tables


def insert_samples(connection: Connection, tables: MetaData, number: int) -> dict[str, Row]:
    """Insert a row into each table.

    Args:
        connection: where.
        tables: what is known of the tables.
        number: is in keys and texts, so that rows of another number differ.

    Returns:
        The rows, by table.

    Raises:
        WrongMigrationError: a table takes none of many; the text says why it did not take the last.
    """
    rows: dict[str, Row] = {}
    for table in tables.sorted_tables:
        rows[table.name] = _insert(connection, table, rows, number)
    return rows


def stored(connection: Connection, table: Table, row: Row) -> bool:
    """Whether a row is there, with all of its values."""
    query = select(*table.columns).where(*identity(table, row))
    return any(
        all(found[name] == value for name, value in row.items())
        for found in connection.execute(query).mappings()
    )


def identity(table: Table, row: Row) -> list[ColumnElement[bool]]:
    """What tells a row from all others: its key, unless the database has made that."""
    key = [column for column in table.primary_key.columns if column.name in row]
    wanted = key or [column for column in table.columns if column.name in row]
    return [column == row[column.name] for column in wanted]


def _insert(connection: Connection, table: Table, rows: dict[str, Row], number: int) -> Row:
    chance = random.Random(f"{table.name} {number}")  # noqa: S311
    checks = inspect(connection).get_check_constraints(table.name)
    literals = [each for check in checks for each in _literals(check["sqltext"])]
    failure = ""
    for attempt in range(_TRIES):
        row = {
            column.name: _value(column, rows, number, literals, chance if attempt else None)
            for column in table.columns
            if not _made_by_database(column)
        }
        try:
            with connection.begin_nested():
                connection.execute(table.insert().values(row))
        except DBAPIError as error:
            failure = str(error.orig).partition("\n")[0]
        else:
            return row
    raise WrongMigrationError(f"an insert into {table.name} fails: {failure}")


def _value(
    column: Column[Any],
    rows: dict[str, Row],
    number: int,
    literals: list[Any],
    chance: random.Random | None,
) -> object:
    for key in column.foreign_keys:
        target = key.column
        if target.table.name in rows:
            return rows[target.table.name].get(target.name)
        if column.nullable:
            return None
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    own = {int: number, str: f"s{number}", uuid.UUID: uuid.UUID(int=number)}.get(kind)
    possible = [each for each in literals if type(each) is kind]
    possible += [each for each in (own, *_VALUES.get(kind, ())) if each is not None]
    if chance is None:
        return own if own is not None else possible[0]
    return chance.choice(possible)


def _made_by_database(column: Column[Any]) -> bool:
    default = str(getattr(column.server_default, "arg", ""))
    return column.identity is not None or column.computed is not None or "nextval(" in default


def _literals(condition: str) -> list[Any]:
    """Texts and numbers of a CHECK, since what it compares with may be what it takes."""
    texts = re.findall(r"'((?:[^']|'')*)'", condition)
    numbers = [int(each) for each in re.findall(r"-?\b\d+\b", condition)]
    return [*texts, *numbers, *(each + 1 for each in numbers)]
