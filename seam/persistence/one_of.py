"""`column IN (…)` for a list that is one parameter: the statement is the same for any length.

PostgreSQL takes an array, SQLite a text of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Dialect, bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import Boolean, String, TypeDecorator, TypeEngine

from seam.persistence.text import Text, text_refusal


def one_of(column: Any, name: str) -> ColumnElement[bool]:  # noqa: ANN401
    """The condition that a column's value is one of a list.

    Args:
        column: the column, of texts or of numbers.
        name: the parameter that gives the list.
    """
    return _OneOf(column, bindparam(name, type_=_List(column.type)))


class _OneOf(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: OperatorType | None = None) -> Any:  # noqa: ANN401, ARG002
        """Be a condition as it is: as `… = 1`, SQLite would use no index."""
        return self


@compiles(_OneOf, "sqlite")
def _in_json(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608


@compiles(_OneOf, "postgresql")
def _any_of_array(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"


class _List(TypeDecorator[Sequence[Any]]):
    """Type of a list of values that are compared with a column."""

    impl = String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(String())
        item = String() if isinstance(self.item, Text) else self.item
        return dialect.type_descriptor(postgresql.ARRAY(item))

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:  # noqa: ANN401
        if value is None:
            raise TypeError("expected a list, not None")
        kept = list(value)
        if isinstance(self.item, Text):
            # What no row can hold is equal to nothing.
            maximum = self.item.maximum
            if not _all_plain(kept, maximum):
                kept = [each for each in kept if not text_refusal(each, maximum)]
        return kept if dialect.name == "postgresql" else json.dumps(kept)


def _all_plain(texts: Sequence[str], maximum: int) -> bool:
    """Whether every text can be stored, told of all at once; most lists are short codes."""
    joined = "".join(texts)
    fit = len(joined) <= maximum or max(map(len, texts)) <= maximum
    return fit and joined.isascii() and "\0" not in joined
