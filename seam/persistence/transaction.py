"""A unit of work on a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import MultipleResultsFound

from seam.contract import InvalidField
from seam.persistence.compilation import Compiled
from seam.persistence.failures import DriverError, FailureError
from seam.persistence.statements import Command, Query

R = TypeVar("R")

Report = Callable[[Exception], Awaitable[Exception]]
"""Tells the log of an error, and gives what callers are told."""

REPORTED = (DriverError, FailureError, InvalidField)
"""What statements raise before it is reported."""


class Work(Protocol):
    """One connection inside a transaction, as each kind of database offers it.

    Attributes:
        dialect: the kind of database.
    """

    dialect: str

    async def rows(self, compiled: Compiled, arguments: Sequence[Any]) -> Sequence[Any]:
        """The rows that a statement gives."""
        ...

    async def run(self, compiled: Compiled, arguments: Sequence[Any]) -> int:
        """Run a statement, and tell how many rows it has changed."""
        ...

    async def run_many(self, compiled: Compiled, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement for the parameters of each of `rows`."""
        ...

    async def control(self, sql: str) -> None:
        """Run a statement about savepoints."""
        ...

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call `callback` once everything is on disk."""
        ...


class Transaction:
    """Statements that are committed together, or not at all.

    Attributes:
        service: the name of the service whose database it is.
    """

    def __init__(self, service: str, work: Work, report: Report) -> None:
        """Run statements in `work`, on the database of `service`."""
        self.service = service
        self._work = work
        self._report = report
        self._depth = 0

    async def fetch_all(self, query: Query[R], /, **parameters: object) -> list[R]:
        """What a query gives."""
        work = self._work
        try:
            compiled = query.compiled(work.dialect, parameters)
            rows = await work.rows(compiled, compiled.arguments(parameters))
        except REPORTED as error:
            raise await self._report(error) from None
        return query.records(compiled, rows)

    async def fetch_one(self, query: Query[R], /, **parameters: object) -> R | None:
        """The only row that a query gives, or None."""
        return only(await self.fetch_all(query, **parameters))

    async def execute(self, command: Command, /, **parameters: object) -> int:
        """Run a command, and tell how many rows it has changed."""
        work = self._work
        try:
            compiled = command.compiled(work.dialect, parameters)
            return await work.run(compiled, compiled.arguments(parameters))
        except REPORTED as error:
            raise await self._report(error) from None

    async def execute_many(self, command: Command, rows: Sequence[Mapping[str, object]], /) -> None:
        """Run a command once for each of `rows`, in as few round trips as the driver can."""
        if not rows:
            return
        try:
            compiled = command.compiled_for_all(self._work.dialect, rows)
            await self._work.run_many(compiled, rows)
        except REPORTED as error:
            raise await self._report(error) from None

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block has done, and nothing else, when it raises."""
        self._depth += 1
        name = f"inner_{self._depth}"
        try:
            await self._control(f"SAVEPOINT {name}")
            try:
                yield
            except BaseException:
                # Where this fails the transaction has ended, and its commit will say so.
                with suppress(*REPORTED):
                    await self._work.control(f"ROLLBACK TO SAVEPOINT {name}")
                    await self._work.control(f"RELEASE SAVEPOINT {name}")
                raise
            await self._control(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call `callback` on the event loop once what was written is on disk, and only then."""
        self._work.after_commit(callback)

    async def _control(self, sql: str) -> None:
        try:
            await self._work.control(sql)
        except REPORTED as error:
            raise await self._report(error) from None


def only(records: list[R]) -> R | None:
    """The only one of some records, or None when there are none.

    Raises:
        MultipleResultsFound: there are several.
    """
    if len(records) > 1:
        raise MultipleResultsFound("several rows were found where one was expected")
    return records[0] if records else None
