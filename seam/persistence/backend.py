"""What one kind of database offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from seam.persistence.monitor import Asked
from seam.persistence.statements import Command, Query

R = TypeVar("R")


class Backend(Asked, Protocol):
    """One kind of database, as sessions need it.

    Its methods raise `DriverError`, `FailureError` and `InvalidField`.
    """

    async def fetch(self, query: Query[R], parameters: Mapping[str, object]) -> list[R]:
        """What a query gives, of what is committed now."""
        ...

    async def execute(self, command: Command, parameters: Mapping[str, object]) -> int:
        """Run a command in a transaction of its own, and tell how many rows it has changed."""
        ...

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a command for each of `rows`, of which there are some, in one transaction."""
        ...

    async def begin(self, *, alone: bool) -> Any:  # noqa: ANN401
        """Begin a transaction; gives a `Work` of this kind of database."""
        ...

    async def commit(self, work: Any) -> None:  # noqa: ANN401
        """Return when what a transaction did is on disk."""
        ...

    async def rollback(self, work: Any) -> None:  # noqa: ANN401
        """Undo what a transaction did, unless it has ended."""
        ...
