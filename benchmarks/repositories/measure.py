"""CPU of what repositories do, as multiples of the bare driver's, on both databases."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measuring import Result, Way, measure
from benchmarks.postgres import postgres
from benchmarks.report import Budget, Options, Row, Section, Table
from benchmarks.repositories import inventory, shopping_cart
from benchmarks.repositories.operation import Operation
from benchmarks.repositories.ways import (
    CONCURRENT,
    CORE,
    DRIVER,
    MODEL,
    REPOSITORY,
    Repeated,
    WaysOf,
    postgres_ways,
    sqlite_ways,
    with_repository,
)
from benchmarks.routes.catalogue import catalogue
from seam.persistence import Database, open_database
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.tables import Table as InventoryTable
from services.shopping_cart.persistence.tables import Table as CartTable

AT_MOST: Final = {"SQLite": 2.0, "PostgreSQL": 1.5}
"""CPU of a read as a multiple of the bare driver's."""

SECONDS: Final = 0.03
"""CPU that a way takes in a round, about."""


@dataclass(frozen=True)
class Prepared:
    """A service's database, filled.

    Attributes:
        database: as the service uses it.
        operations: what its repositories do.
        ways: how it is done without them.
    """

    database: Database
    operations: Sequence[Operation]
    ways: WaysOf


async def measure_repositories(options: Options) -> Section:
    """Measure all operations in all ways."""
    section = Section()
    with tempfile.TemporaryDirectory(prefix="shop-") as directory:
        async with _sqlite(Path(directory)) as prepared:
            await _measure_database("SQLite", prepared, options, section)
    with postgres() as server:
        async with _postgres(server.create("shop")) as prepared:
            await _measure_database("PostgreSQL", prepared, options, section)
    return section


async def _measure_database(
    kind: str, services: Sequence[Prepared], options: Options, section: Section
) -> None:
    rows = []
    for service in services:
        for operation in service.operations:
            runs = service.ways(operation)
            runs[REPOSITORY] = with_repository(service.database, operation)
            ways = [
                Way(name, repeated.run, await _times(repeated), repeated.prepare)
                for name, repeated in runs.items()
            ]
            results = await measure(
                ways,
                baseline=DRIVER,
                rounds=options.rounds,
                progress=options.progress,
                clock=time.process_time,
            )
            row, budgets = _compare(kind, operation, {each.name: each for each in results})
            rows.append(row)
            section.budgets.extend(budgets)
    title = f"Repositories on {kind}: CPU of the service's process, {CONCURRENT} at a time"
    section.tables.append(Table(title, rows))


def _compare(
    kind: str, operation: Operation, results: dict[str, Result]
) -> tuple[Row, list[Budget]]:
    ratio = results[REPOSITORY].ratio
    budgets = []
    if not operation.writes:
        at_most = AT_MOST[kind]
        claim = f"reading of {operation.name} on {kind}: at most {at_most}x the driver's CPU"
        budgets.append(Budget(claim, ratio.median, ratio.median <= at_most))
    row: Row = {
        "": operation.name,
        "driver µs": results[DRIVER].microseconds.median,
        "repository µs": results[REPOSITORY].microseconds.median,
        "times driver": ratio.median,
        "min": ratio.min,
        "max": ratio.max,
        "budget": "" if operation.writes else f"≤ {AT_MOST[kind]}",
        "Core: times driver": results[CORE].ratio.median,
        "SQLModel: times driver": results[MODEL].ratio.median,
        " ": "" if all(budget.holds for budget in budgets) else "MISSED",
    }
    return row, budgets


async def _times(repeated: Repeated) -> int:
    """How often a way is run in a round; warms it up as well."""
    trial = 4 * CONCURRENT
    used = 0.0
    for _ in range(2):
        repeated.prepare(trial)
        begun = time.process_time()
        await repeated.run(trial)
        used = time.process_time() - begun
    return max(trial, int(SECONDS / used * trial))


@asynccontextmanager
async def _sqlite(directory: Path) -> AsyncIterator[Sequence[Prepared]]:
    async with AsyncExitStack() as stack:
        prepared = []
        for service in (_inventory, _carts):
            schema, operations, opened = service
            file = directory / f"{schema}.db"
            database = await stack.enter_async_context(opened(f"sqlite:///{file}"))
            ways = stack.enter_context(sqlite_ways(file, schema))
            prepared.append(Prepared(database, operations, ways))
        yield prepared


@asynccontextmanager
async def _postgres(url: str) -> AsyncIterator[Sequence[Prepared]]:
    async with AsyncExitStack() as stack:
        prepared = []
        for service in (_inventory, _carts):
            schema, operations, opened = service
            database = await stack.enter_async_context(opened(url))
            ways = await stack.enter_async_context(postgres_ways(url, schema))
            prepared.append(Prepared(database, operations, ways))
        yield prepared


@asynccontextmanager
async def _opened_inventory(url: str) -> AsyncIterator[Database]:
    async with open_database(url, InventoryTable.metadata) as database:
        async with database.transaction() as transaction:
            items = [inventory.record(item) for item in catalogue(inventory.SIZE)]
            await ItemRepository(transaction).put(items)
        yield database


@asynccontextmanager
async def _opened_carts(url: str) -> AsyncIterator[Database]:
    async with open_database(url, CartTable.metadata) as database:
        await shopping_cart.fill(database)
        yield database


_inventory: Final = ("inventory", inventory.OPERATIONS, _opened_inventory)
_carts: Final = ("shopping_cart", shopping_cart.OPERATIONS, _opened_carts)
