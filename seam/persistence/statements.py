"""What repositories say to a database: statements that are made once, when a module is imported.

A statement is written in SQLAlchemy Core, with `bindparam` for what changes from call to call. Its
SQL is made once for each kind of database, and rows become records by one plain function.

    _FIND = Query(select(col(ItemRow.sku), …).where(col(ItemRow.sku) == bindparam("sku")), _item)
    item = await session.fetch_one(_FIND, sku="A-1")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Insert: TypeAlias = Callable[..., Any]
"""The `insert` of a dialect: it offers `on_conflict_do_update` and `on_conflict_do_nothing`."""

Source: TypeAlias = Executable | Callable[[Insert], Executable]
"""A statement, or what makes it of `insert`, where SQLAlchemy spells it by dialect."""

_INSERTS: dict[str, Insert] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Command:
    """A statement that changes rows."""

    def __init__(self, source: Source) -> None:
        """Make it of a statement of SQLAlchemy Core."""
        self._source = source
        self._by_dialect: dict[str, Executable] = {}

    def statement(self, dialect: str) -> Executable:
        """The statement for a dialect, which is made once."""
        made = self._by_dialect.get(dialect)
        if made is None:
            source = self._source
            made = source if isinstance(source, Executable) else source(_INSERTS[dialect])
            self._by_dialect[dialect] = made
        return made


class Query(Command, Generic[R_co]):
    """A statement that gives rows, and what makes a record of one."""

    def __init__(self, source: Source, build: Callable[..., R_co]) -> None:
        """Make it of a statement of SQLAlchemy Core.

        Args:
            source: the statement; or, where it changes rows and returns them, what makes it.
            build: is called with a row's columns, in their order.
        """
        super().__init__(source)
        self.build = build


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
