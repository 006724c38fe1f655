"""SQL of a statement for one kind of database, and how values go into it and come out.

SQLAlchemy writes the SQL once. What it would do again for each execution is done here once as well:
which parameter stands at which place, which of them its column's type checks or converts, and which
columns of a row are converted back. Where nothing is to be converted, nothing is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Arguments: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Any]]
"""Puts parameters into the order of their places."""

Converter: TypeAlias = Callable[[Any], Any]

Supplier: TypeAlias = Callable[[], Any]
"""Gives a parameter that the execution finds by itself, such as who asks."""


# They have no types.
_SQLITE: Final[Any] = sqlite.dialect()
_POSTGRESQL: Final[Any] = asyncpg.dialect

# A file is one service's own, and SQLite knows no schemas.
_SQLITE.identifier_preparer.schema_for_object = lambda _: None

DIALECTS: Final[Mapping[str, Dialect]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL()}


class Compiled:
    """A statement as a driver takes it.

    Attributes:
        sql: its text.
        arguments: puts the parameters of one execution into order.
        convert: turns a row of the driver into the values of its columns; None when they are the
            same.
        names: the parameters that an execution must give.
        writes: whether it changes rows.
    """

    __slots__ = ("arguments", "convert", "count", "names", "sql", "writes")

    def __init__(
        self, statement: Executable, dialect: Dialect, keys: Iterable[str] | None = None
    ) -> None:
        """Compile for `dialect`.

        Args:
            statement: what to compile.
            dialect: the kind of database.
            keys: the columns that an insert gives, if not all of them.
        """
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=dialect, column_keys=None if keys is None else sorted(keys)
        )
        constants, defaults = _constants(compiled)
        supplied: dict[str, Supplier] = {
            name: bind.callable
            for name, bind in compiled.binds.items()
            if bind.callable is not None
        }
        self.names = (
            frozenset(compiled.binds) - constants.keys() - defaults.keys() - supplied.keys()
        )
        given = {**dict.fromkeys([*self.names, *supplied]), **constants, **defaults}
        # It lists the values of an IN with constants one by one.
        expanded = compiled.construct_expanded_state(given)
        origins = {
            part: whole for whole, parts in expanded.parameter_expansion.items() for part in parts
        }
        fixed = {
            name: value
            for name, value in expanded.parameters.items()
            if name not in self.names and name not in supplied
        }
        places = list(expanded.positiontup)
        converters = [
            _bind(compiled.binds[origins.get(name, name)].type, dialect) for name in places
        ]
        self.sql: str = expanded.statement
        self.arguments = _arguments(places, converters, fixed, supplied)
        self.convert = _convert(statement, dialect)
        self.writes = isinstance(statement, UpdateBase)
        self.count = len(self.names)

    def refuse(self, parameters: Mapping[str, Any]) -> TypeError:
        """What is wrong with the names of parameters."""
        missing = sorted(self.names - parameters.keys())
        unknown = sorted(parameters.keys() - self.names)
        return TypeError(
            f"the parameters {', '.join(missing) or 'none'} are missing, and "
            f"{', '.join(unknown) or 'none'} are not known to the statement {self.sql}"
        )


def _constants(compiled: SQLCompiler) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values that the statement itself gives, and defaults of columns that it leaves out."""
    constants = {
        name: bind.value
        for name, bind in compiled.binds.items()
        if not bind.required and bind.callable is None
    }
    defaults = {}
    for column in (*compiled.insert_prefetch, *compiled.update_prefetch):
        default = column.default
        if default is None or not default.is_scalar:
            raise TypeError(f"the column {column} has a default that only Python knows: give it")
        defaults[column.key] = default.arg  # type: ignore[attr-defined]
    return constants, defaults


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> Converter | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _arguments(
    places: Sequence[str],
    converters: Sequence[Converter | None],
    fixed: Mapping[str, Any],
    supplied: Mapping[str, Supplier],
) -> Arguments:
    """Make the function that is called for each execution."""
    pairs = list(zip(places, converters, strict=True))
    if supplied:
        return _with_supplied(pairs, fixed, supplied)
    if not fixed and not any(converters):
        if not places:
            return lambda _: ()
        if len(places) > 1:
            return itemgetter(*places)
    if not fixed and len(places) == 1:
        (name,), (convert,) = places, converters
        if convert is None:
            return lambda parameters: (parameters[name],)
        return lambda parameters: (convert(parameters[name]),)

    def in_order(parameters: Mapping[str, Any]) -> Sequence[Any]:
        values = {**fixed, **parameters} if fixed else parameters
        return [
            values[name] if convert is None else convert(values[name]) for name, convert in pairs
        ]

    return in_order


def _with_supplied(
    pairs: Sequence[tuple[str, Converter | None]],
    fixed: Mapping[str, Any],
    supplied: Mapping[str, Supplier],
) -> Arguments:
    suppliers = tuple(supplied.items())

    def in_order(parameters: Mapping[str, Any]) -> Sequence[Any]:
        values = {**fixed, **parameters}
        for name, supply in suppliers:
            values[name] = supply()
        return [
            values[name] if convert is None else convert(values[name]) for name, convert in pairs
        ]

    return in_order


def _convert(statement: Executable, dialect: Dialect) -> Converter | None:
    columns: Any = getattr(statement, "exported_columns", ())
    converters = [
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
    ]
    if not any(converters):
        return None

    def convert(row: Sequence[Any]) -> Sequence[Any]:
        return [
            value if each is None else each(value)
            for value, each in zip(row, converters, strict=True)
        ]

    return convert
