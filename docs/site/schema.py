"""Says in words what a table consists of, in the terms of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import CheckConstraint, DefaultClause, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Table
    from sqlalchemy.sql import ClauseElement

__all__ = ["column_notes", "column_type", "constraint_words", "index_words"]

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


def column_type(column: Column[Any]) -> str:
    """The type, such as `VARCHAR(64)`."""
    return str(column.type.compile(dialect=_DIALECT))


def column_notes(column: Column[Any]) -> list[str]:
    """What else is said of a column."""
    notes = ["primary key"] if column.primary_key else []
    if not column.nullable and not column.primary_key:
        notes.append("not null")
    if column.unique:
        notes.append("unique")
    default = column.server_default
    if isinstance(default, DefaultClause):
        notes.append(f"by default {_sql(default.arg)}")
    keys = sorted(key.target_fullname for key in column.foreign_keys)
    return notes + [f"refers to {each}" for each in keys]


def constraint_words(table: Table) -> list[str]:
    """What rows have to fulfil together, or beyond their columns' types."""
    return sorted(_constraints(table))


def _constraints(table: Table) -> Iterator[str]:
    for each in table.constraints:
        if isinstance(each, CheckConstraint):
            yield f"{each.name}: {_sql(each.sqltext)}"
        elif isinstance(each, UniqueConstraint) and len(each.columns) > 1:
            columns = ", ".join(column.name for column in each.columns)
            yield f"{each.name}: unique ({columns})"


def index_words(table: Table) -> list[str]:
    """Name, columns and condition of each index."""
    found = []
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        # CREATE [UNIQUE] INDEX name ON schema.table [USING method] (columns) [WHERE condition]
        statement = " ".join(str(CreateIndex(index).compile(dialect=_DIALECT)).split())
        _, _, after = statement.partition(" ON ")
        _, _, what = after.partition(" ")
        unique = ", unique" if index.unique else ""
        found.append(f"{index.name} {what}{unique}")
    return found


def _sql(clause: ClauseElement | str) -> str:
    if isinstance(clause, str):
        return f"'{clause}'"
    return str(clause.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
