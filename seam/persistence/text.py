"""Text that every supported database holds: no NUL, nothing but Unicode, and no more than agreed.

PostgreSQL takes no NUL character, neither database a lone surrogate, and both would take a text of
any length. A column says by its type how long its texts may be. What cannot be stored is refused
when it is written, and is equal to nothing when it is looked for: no row can hold it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, String, type_coerce
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from seam.contract import InvalidField


def text_refusal(text: str, maximum: int, *, minimum: int = 0) -> str | None:
    """Why a text cannot be stored, or None when it can.

    Args:
        text: what is to be stored.
        maximum: the most characters that it may have.
        minimum: the fewest.
    """
    if not minimum <= len(text) <= maximum:
        return f"has {len(text)} characters; expected {minimum} to {maximum}"
    if "\0" in text:
        return "holds a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half of a surrogate pair"
    return None


class Text(TypeDecorator[str]):
    """Type of a column of text.

    Args:
        field: what errors call the column.
        maximum: the most characters that a text may have.
        by_code_point: order texts by code points, as Python and SQLite do, whatever the language of
            the database is.
    """

    impl = String
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """Comparisons with a column; a parameter of theirs is looked for, as a value is."""

        def operate(
            self,
            op: OperatorType,
            *other: Any,  # noqa: ANN401
            **options: Any,  # noqa: ANN401
        ) -> ColumnElement[Any]:
            """Give parameters the type of what is looked for."""
            kind = self.type
            if isinstance(kind, Text):
                other = tuple(_sought(each, kind.maximum) for each in other)
            return super().operate(op, *other, **options)

    comparator_factory = Comparator

    def __init__(self, field: str, maximum: int, *, by_code_point: bool = False) -> None:
        super().__init__()
        self.field = field
        self.maximum = maximum
        self.by_code_point = by_code_point

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Name the collation where the order is that of code points."""
        if self.by_code_point and dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.VARCHAR(collation="C"))
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Refuse to write what cannot be stored.

        Raises:
            InvalidField: the text cannot be stored; names the field.
        """
        reason = None if value is None else text_refusal(value, self.maximum)
        if reason is not None:
            raise InvalidField(self.field, reason)
        return value

    def coerce_compared_value(
        self,
        op: OperatorType | None,  # noqa: ARG002
        value: object,  # noqa: ARG002
    ) -> TypeEngine[Any]:
        """Look for texts by `_Sought`."""
        return _Sought(self.maximum)


def _sought(value: object, maximum: int) -> object:
    if isinstance(value, BindParameter) and isinstance(value.type, NullType):
        return type_coerce(value, _Sought(maximum))
    return value


class _Sought(TypeDecorator[str]):
    """Type of a text that is compared with a column: NULL when no row can hold it."""

    impl = String
    cache_ok = True

    def __init__(self, maximum: int) -> None:
        super().__init__()
        self.maximum = maximum

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None or text_refusal(value, self.maximum) else value
