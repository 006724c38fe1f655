"""What repositories say to a database: statements that are made once, when a module is imported.

A statement is written in SQLAlchemy Core, with `bindparam` for what changes from call to call. Its
SQL is made once for each kind of database, and rows become records by one plain function.

    _FIND = Query(select(col(ItemRow.sku), …).where(col(ItemRow.sku) == bindparam("sku")), _item)
    item = await session.fetch_one(_FIND, sku="A-1")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from seam.persistence.compilation import DIALECTS, Compiled

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Insert: TypeAlias = Callable[..., Any]
"""The `insert` of a dialect: it offers `on_conflict_do_update` and `on_conflict_do_nothing`."""

Source: TypeAlias = Executable | Callable[[Insert], Executable] | Mapping[str, Executable]
"""A statement; or what makes it of `insert`, where SQLAlchemy spells it by dialect; or one for each
dialect, where they have nothing in common. Those have the same parameters and columns."""

_INSERTS: dict[str, Insert] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Command:
    """A statement that changes rows.

    Attributes:
        writes: whether it does; a `Query` may.
    """

    def __init__(self, source: Source) -> None:
        """Make it of a statement of SQLAlchemy Core."""
        self._source = source
        self.writes = isinstance(source, UpdateBase) or not isinstance(source, Executable)
        self._compiled: dict[str, Compiled] = {}
        self._partial: dict[tuple[str, frozenset[str]], Compiled] = {}

    def compiled(self, dialect: str, parameters: Mapping[str, object]) -> Compiled:
        """The statement for a kind of database, which is compiled once.

        Raises:
            TypeError: `parameters` are not those of the statement.
        """
        compiled = self._compiled.get(dialect)
        if compiled is None:
            compiled = Compiled(self._statement(dialect), DIALECTS[dialect])
            self._compiled[dialect] = compiled
        if len(parameters) == compiled.count and compiled.names.issuperset(parameters):
            return compiled
        return self._for_some_columns(dialect, compiled, parameters)

    def compiled_for_all(self, dialect: str, rows: Sequence[Mapping[str, object]]) -> Compiled:
        """The statement for parameters of the same names in all of `rows`, of which there are some.

        Raises:
            TypeError: those of a row are not those of the statement, or of the first row.
        """
        compiled = self.compiled(dialect, rows[0])
        names = compiled.names
        for row in rows:
            if row.keys() != names:
                raise compiled.refuse(row)
        return compiled

    def _for_some_columns(
        self, dialect: str, whole: Compiled, parameters: Mapping[str, object]
    ) -> Compiled:
        """The statement for parameters that leave columns with defaults out."""
        key = dialect, frozenset(parameters)
        compiled = self._partial.get(key)
        if compiled is None:
            if not whole.names.issuperset(parameters):
                raise whole.refuse(parameters)
            compiled = Compiled(self._statement(dialect), DIALECTS[dialect], parameters)
            if compiled.names != parameters.keys():
                raise compiled.refuse(parameters)
            self._partial[key] = compiled
        return compiled

    def _statement(self, dialect: str) -> Executable:
        source = self._source
        if isinstance(source, Executable):
            return source
        return source[dialect] if isinstance(source, Mapping) else source(_INSERTS[dialect])


class Query(Command, Generic[R_co]):
    """A statement that gives rows, and what makes a record of one.

    Attributes:
        long: whether it may look at very many rows. A few of those run at a time, so that they
            leave processors and connections to others.
    """

    def __init__(self, source: Source, build: Callable[..., R_co], *, long: bool = False) -> None:
        """Make it of a statement of SQLAlchemy Core.

        Args:
            source: the statement; or, where it changes rows and returns them, what makes it.
            build: is called with a row's columns, in their order.
            long: see the attribute.
        """
        super().__init__(source)
        self.build = build
        self.long = long

    def records(self, compiled: Compiled, rows: Sequence[Any]) -> list[R_co]:
        """Build records of a driver's rows."""
        build, convert = self.build, compiled.convert
        if convert is None:
            return list(starmap(build, rows))
        return [build(*convert(row)) for row in rows]


class Session(Protocol):
    """Where repositories run statements: a `Database`, each on its own, or a `Transaction`."""

    async def fetch_all(self, query: Query[R], /, **parameters: object) -> list[R]:
        """What a query gives."""
        ...

    async def fetch_one(self, query: Query[R], /, **parameters: object) -> R | None:
        """The only row that a query gives, or None."""
        ...

    async def execute(self, command: Command, /, **parameters: object) -> int:
        """Run a command, and tell how many rows it has changed."""
        ...

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]], /) -> None:
        """Run a command once for each of `rows`, in as few round trips as the driver can."""
        ...
