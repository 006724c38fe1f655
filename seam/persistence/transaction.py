"""A unit of work on a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from seam.persistence.statements import Command, Query

R = TypeVar("R")


class Transaction:
    """Statements that are committed together, or not at all."""

    def __init__(self, session: AsyncSession) -> None:
        """Run statements in `session`."""
        self._session = session
        self._dialect = session.get_bind().dialect.name
        self.committed: list[Callable[[], object]] = []

    async def fetch_all(self, query: Query[R], /, **parameters: object) -> list[R]:
        """What a query gives."""
        rows = await (await self._session.connection()).execute(
            query.statement(self._dialect), parameters
        )
        return [query.build(*row) for row in rows]

    async def fetch_one(self, query: Query[R], /, **parameters: object) -> R | None:
        """The only row that a query gives, or None."""
        rows = await (await self._session.connection()).execute(
            query.statement(self._dialect), parameters
        )
        row = rows.one_or_none()
        return None if row is None else query.build(*row)

    async def execute(self, command: Any, /, *rest: Any, **parameters: object) -> Any:  # noqa: ANN401
        """Run a command, and tell how many rows it has changed."""
        if not isinstance(command, Command):
            return await self._session.execute(command, *rest, **parameters)  # type: ignore[arg-type]
        done: Any = await (await self._session.connection()).execute(
            command.statement(self._dialect), parameters
        )
        count: int = done.rowcount
        return count

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]], /) -> None:
        """Run a command once for each of `rows`, in as few round trips as the driver can."""
        if rows:
            await (await self._session.connection()).execute(
                command.statement(self._dialect), [dict(r) for r in rows]
            )

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block has done, and nothing else, when it raises."""
        async with self._session.begin_nested():
            yield

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call `callback` on the event loop once what was written is on disk, and only then."""
        self.committed.append(callback)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._session, name)
