"""Events a second, CPU and latency from outbox to subscriber, on each path and database."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.broker import nats_server
from benchmarks.events.bare import (
    Used,
    move_in_postgres,
    move_in_sqlite,
    move_over_jetstream,
)
from benchmarks.events.paths import EventPath, Urls, in_the_process, over_jetstream
from benchmarks.events.shop import HEARD, PUBLISHED, publish_orders
from benchmarks.postgres import Postgres, postgres
from benchmarks.report import Budget, Options, Row, Section, Table
from seam.persistence import open_database

AT_LEAST: Final = 20_000
"""Events a second."""

EVENTS: Final = 40_000
"""Events that wait in the outbox when a round begins."""

ALONE: Final = 50
"""Events that are published one after the other in a round, for latency."""

ROUNDS: Final = 5
"""Rounds, at most."""

SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"

_PATHS: Final[dict[str, Callable[[Urls], AbstractAsyncContextManager[EventPath]]]] = {
    "in the process": in_the_process,
    "over JetStream": over_jetstream,
}


@dataclass
class Measured:
    """One path over one kind of database, or what a driver does in its place, over all rounds."""

    used: list[Used] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Events a second."""
        return EVENTS / statistics.median(each.seconds for each in self.used)

    @property
    def cpu_microseconds(self) -> float:
        """CPU of an event."""
        return statistics.median(each.cpu for each in self.used) / EVENTS * 1e6


async def measure_events(options: Options) -> Section:
    """Measure all paths over both databases."""
    measured: dict[tuple[str, str], Measured] = {}
    bare: dict[str, Measured] = {}
    with TemporaryDirectory(prefix="events-") as directory, postgres() as server:
        places = _Places(Path(directory), server)
        for _ in range(min(options.rounds, ROUNDS)):
            for kind in (SQLITE, POSTGRES):
                urls = places.fresh(kind)
                bare.setdefault(kind, Measured()).used.append(await _without_us(kind, urls))
                for name, opened in _PATHS.items():
                    async with opened(places.fresh(kind)) as path:
                        await _measure(path, measured.setdefault((kind, name), Measured()))
                    options.progress()
            with nats_server() as nats:
                used = await move_over_jetstream(nats, EVENTS)
            bare.setdefault("over JetStream", Measured()).used.append(used)
    return _section(measured, bare)


class _Places:
    """Where databases are made, new ones each time."""

    def __init__(self, directory: Path, server: Postgres) -> None:
        self._directory = directory
        self._server = server
        self._number = 0

    def fresh(self, kind: str) -> Urls:
        """Databases that hold nothing."""
        self._number += 1
        if kind == POSTGRES:
            url = self._server.create(f"events{self._number}")
            return Urls(url, url)
        file = f"sqlite:///{self._directory}/{self._number}"
        return Urls(f"{file}-orders.db", f"{file}-carts.db")


async def _without_us(kind: str, urls: Urls) -> Used:
    async with (
        open_database(urls.publisher, PUBLISHED) as outbox,
        open_database(urls.subscriber, HEARD),
    ):
        await publish_orders(outbox, EVENTS)
    if kind == POSTGRES:
        return await move_in_postgres(urls.publisher)
    return move_in_sqlite(
        *(url.removeprefix("sqlite:///") for url in (urls.publisher, urls.subscriber))
    )


async def _measure(path: EventPath, measured: Measured) -> None:
    for _ in range(ALONE):
        path.listener.expect(1)
        await path.publish(1)
        await path.listener.heard()
        measured.latencies.extend(path.listener.latencies)
    await path.emptied()
    path.listener.expect(EVENTS)
    committed = await path.publish(EVENTS)
    used = path.cpu()
    await path.listener.heard()
    await path.emptied()
    measured.used.append(Used(perf_counter() - committed, path.cpu() - used))


def _section(measured: dict[tuple[str, str], Measured], bare: dict[str, Measured]) -> Section:
    rows: list[Row] = []
    budgets: list[Budget] = []
    for (kind, name), each in measured.items():
        claim = f"events {name} on {kind}: at least {AT_LEAST:,} a second"
        budgets.append(Budget(claim, each.rate, each.rate >= AT_LEAST))
        latencies = sorted(each.latencies)
        rows.append(
            {
                "": f"{name}, {kind}",
                "events/s": each.rate,
                "budget": f"≥ {AT_LEAST:,}",
                "CPU µs": each.cpu_microseconds,
                "driver's CPU µs": bare[kind].cpu_microseconds,
                "alone: ms": statistics.median(latencies) * 1e3,
                "p99 ms": latencies[int(len(latencies) * 0.99)] * 1e3,
                " ": "" if budgets[-1].holds else "MISSED",
            }
        )
    drivers: list[Row] = [
        {"": f"bare {name}", "events/s": each.rate, "CPU µs": each.cpu_microseconds}
        for name, each in bare.items()
    ]
    title = f"Events from outbox to subscriber, {EVENTS:,} at once and one alone"
    return Section([Table(title, rows), Table("The same rows without any of it", drivers)], budgets)
