"""Requests a second, CPU and p99 of the shop's routes, as multiples of the plain application's."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.postgres import Postgres, postgres
from benchmarks.report import Budget, Options, Row, Section, Table
from benchmarks.routes import requests
from benchmarks.routes.hello import serve_hello
from benchmarks.routes.load import CONNECTIONS, Load, send
from benchmarks.routes.requests import Route, prepare
from benchmarks.routes.systems import PLAIN, SHOP, applications
from benchmarks.servers import Server, server_process

WARM_UP: Final = 0.15
"""Seconds of load before the first round."""

AT_LEAST: Final[Mapping[str, Mapping[str, float]]] = {
    "SQLite": {
        requests.ITEM: 6,
        requests.PAGE_OF_50: 4,
        requests.CART: 6,
        requests.SET_QUANTITY: 6,
        requests.NEW_CART: 6,
    },
    "PostgreSQL": {
        requests.ITEM: 2,
        requests.PAGE_OF_50: 2,
        requests.CART: 2,
        requests.SET_QUANTITY: 2,
        requests.NEW_CART: 2,
    },
}
"""How many times the plain application's requests a second, by database and route."""

P99_AT_MOST: Final = 0.25
"""The largest part of the plain application's p99, on SQLite."""


@dataclass
class Measured:
    """One route of one application, over all rounds."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def add(self, load: Load, cpu: float) -> None:
        """Count a round in."""
        self.rates.append(load.rate)
        self.latencies.extend(load.latencies)
        self.cpu += cpu

    @property
    def cpu_microseconds(self) -> float:
        """CPU of the server's process for a request."""
        return self.cpu / len(self.latencies) * 1e6

    @property
    def p99_milliseconds(self) -> float:
        """Within which 99 of 100 requests were answered."""
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] * 1e3


async def measure_routes(options: Options) -> Section:
    """Measure all routes on both databases."""
    section = Section([await _measure_load(options)])
    with ExitStack() as stack:
        for database, server in (
            ("SQLite", None),
            ("PostgreSQL", stack.enter_context(postgres())),
        ):
            await _measure_database(database, server, options, section)
    return section


async def _measure_database(
    database: str, server: Postgres | None, options: Options, section: Section
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="shop-") as directory,
        applications(options.items, Path(directory), server) as servers,
    ):
        routes = {
            name: await prepare(server.address, options.items) for name, server in servers.items()
        }
        rows: list[Row] = []
        for plain, shop in zip(routes[PLAIN], routes[SHOP], strict=True):
            measured = await _measure_route({PLAIN: plain, SHOP: shop}, servers, options)
            row, budgets = _compare(database, plain.name, measured[PLAIN], measured[SHOP])
            rows.append(row)
            section.budgets.extend(budgets)
            options.progress()
    title = (
        f"Routes on {database}, {CONNECTIONS} connections, {options.items:,} items: "
        f"the shop in one process against FastAPI + SQLModel"
    )
    section.tables.append(Table(title, rows))


async def _measure_route(
    routes: Mapping[str, Route], servers: Mapping[str, Server], options: Options
) -> dict[str, Measured]:
    measured = {name: Measured() for name in servers}
    order = list(servers)
    for name in order:
        await send(servers[name].address, routes[name].requests, WARM_UP)
    for number in range(options.rounds):
        for name in order:
            server = servers[name]
            before = server.cpu()
            start = number * 997
            load = await send(server.address, routes[name].requests, options.seconds, start)
            measured[name].add(load, server.cpu() - before)
        # Whoever is first meets whatever the machine does at that moment.
        order.reverse()
    return measured


def _compare(
    database: str, route: str, plain: Measured, shop: Measured
) -> tuple[Row, list[Budget]]:
    ratio = statistics.median(a / b for a, b in zip(shop.rates, plain.rates, strict=True))
    p99 = shop.p99_milliseconds / plain.p99_milliseconds
    budgets = []
    at_least = AT_LEAST[database].get(route)
    if at_least is not None:
        claim = f"{route} on {database}: at least {at_least}x the requests/s of FastAPI + SQLModel"
        budgets.append(Budget(claim, ratio, ratio >= at_least))
        if database == "SQLite":
            claim = f"{route} on {database}: at most {P99_AT_MOST}x its p99"
            budgets.append(Budget(claim, p99, p99 <= P99_AT_MOST))
    row: Row = {
        "": route,
        "plain/s": statistics.median(plain.rates),
        "shop/s": statistics.median(shop.rates),
        "times": ratio,
        "budget": f"≥ {at_least}" if at_least else "",
        "plain µs CPU": plain.cpu_microseconds,
        "shop": shop.cpu_microseconds,
        "part": shop.cpu_microseconds / plain.cpu_microseconds,
        "plain p99 ms": plain.p99_milliseconds,
        "shop p99": shop.p99_milliseconds,
        "part p99": p99,
        " ": "" if all(budget.holds for budget in budgets) else "MISSED",
    }
    return row, budgets


async def _measure_load(options: Options) -> Table:
    """What sends the requests, against an application that does nothing."""
    with server_process(serve_hello) as server:
        request = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
        await send(server.address, [request], WARM_UP)
        before = time.process_time()
        load = await send(server.address, [request], max(options.seconds, 1.0))
        used = time.process_time() - before
    row: Row = {
        "": "an ASGI application that does nothing",
        "requests/s": load.rate,
        "as many as one core could send": load.requests / used,
    }
    return Table("What sends the requests", [row])
