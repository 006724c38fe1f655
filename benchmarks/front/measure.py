"""Requests a second, latency, CPU and memory of what customers do, in every system."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.checkouts.orders import check, orders
from benchmarks.checkouts.systems import ITEMS
from benchmarks.front.systems import BARE, ONE, PLAIN, System, systems
from benchmarks.memory import mebibytes
from benchmarks.report import Budget, Options, Row, Section, Table
from benchmarks.routes import requests
from benchmarks.routes.load import CONNECTIONS, Load, ask, send, send_once
from benchmarks.routes.requests import get, prepare, request

HOME: Final = "home"
CHECKOUT: Final = "checkout"

ROUTES: Final = (
    requests.ITEM,
    requests.PAGE_OF_50,
    requests.CART,
    requests.SET_QUANTITY,
    requests.NEW_CART,
)
"""Routes that every system has."""

ORDERS: Final = 48
"""Checkouts of a round."""

CHECKOUT_ROUNDS: Final = 5
"""Rounds of checkouts, at most."""

GUARD_ROUNDS: Final = 12
"""Rounds of the shop with and without its guards, at least: they differ by less than two rounds of
one of them do."""

WARM_UP: Final = 0.15
"""Seconds of load before the first round."""

OF_UNGUARDED: Final = 0.9
"""Part of the requests/s without token check, policy, limits and tracing."""

TIMES_PLAIN: Final = 5
"""Times the requests/s of the plain application, which checks tokens too."""

COMPARED_WITH_PLAIN: Final = (
    requests.ITEM,
    requests.CART,
    requests.SET_QUANTITY,
    requests.NEW_CART,
)


@dataclass
class Measured:
    """One route of one system, over all rounds; times are seconds."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu: float = 0.0
    database_cpu: float = 0.0

    def percentile(self, part: float) -> float:
        """Milliseconds within which a part of all requests was answered."""
        return sorted(self.latencies)[int(len(self.latencies) * part)] * 1e3


async def measure_front(options: Options) -> Section:
    """Measure all routes of all systems in turns."""
    section = Section()
    async with systems() as running:
        asked = {name: await _requests(name, system) for name, system in running.items()}
        for route in (*ROUTES, HOME):
            having = {name: each[route] for name, each in asked.items() if route in each}
            measured = await _measure(having, running, options)
            _report(route, measured, section)
        _report(CHECKOUT, await _measure_checkouts(running, options), section)
        rows: list[Row] = [
            {"": name, "processes": len(system.pids()), "MiB": mebibytes(system.pids())}
            for name, system in running.items()
        ]
    section.tables.append(Table("Memory after all of it, without database and broker", rows))
    return section


async def _requests(name: str, system: System) -> dict[str, Sequence[bytes]]:
    """What is asked, by route."""
    prepared = await prepare(system.address, ITEMS, system.token)
    asked = {route.name: route.requests for route in prepared if route.name in ROUTES}
    # Without a token there is less to show.
    if name not in {PLAIN, BARE}:
        asked[HOME] = [await _home(system)]
    return asked


async def _home(system: System) -> bytes:
    """A request of the first page, for a customer with a full cart and orders."""
    _, bodies = await send_once(system.address, await orders(system.address, CONNECTIONS))
    check(bodies)
    (body,) = await ask(system.address, [request("POST", "/v1/carts", {}, system.token)])
    cart = json.loads(body)["cartId"]
    lines = [
        request("PUT", f"/v1/carts/{cart}/items/{item}", {"quantity": 2}, system.token)
        for item in ("SKU-0000001", "SKU-0000002")
    ]
    await ask(system.address, lines)
    return get(f"/v1/home?client=CLIENT_WEB&cartId={cart}", system.token)


async def _measure(
    asked: Mapping[str, Sequence[bytes]], running: Mapping[str, System], options: Options
) -> dict[str, Measured]:
    measured = {name: Measured() for name in asked}
    order = list(asked)
    for name in order:
        await send(running[name].address, asked[name], WARM_UP)
    for number in range(options.rounds):
        await _round(measured, order, asked, running, seconds=options.seconds, number=number)
    options.progress()
    guarded = [name for name in order if name in {BARE, ONE}]
    if len(guarded) > 1:
        for number in range(options.rounds, GUARD_ROUNDS):
            await _round(measured, guarded, asked, running, seconds=options.seconds, number=number)
        options.progress()
    return measured


async def _round(
    measured: Mapping[str, Measured],
    order: list[str],
    asked: Mapping[str, Sequence[bytes]],
    running: Mapping[str, System],
    *,
    seconds: float,
    number: int,
) -> None:
    for name in order:
        system = running[name]
        before, database_before = system.cpu(), system.database_cpu()
        load = await send(system.address, asked[name], seconds, number * 997)
        _count(measured[name], load, system, before, database_before)
    # Whoever is first meets whatever the machine does at that moment.
    order.reverse()


async def _measure_checkouts(
    running: Mapping[str, System], options: Options
) -> dict[str, Measured]:
    measured = {name: Measured() for name in running if name != PLAIN}
    for _ in range(min(options.rounds, CHECKOUT_ROUNDS)):
        for name, each in measured.items():
            system = running[name]
            placed = await orders(system.address, ORDERS)
            before, database_before = system.cpu(), system.database_cpu()
            load, bodies = await send_once(system.address, placed)
            _count(each, load, system, before, database_before)
            check(bodies)
        options.progress()
    return measured


def _count(
    measured: Measured, load: Load, system: System, before: float, database_before: float
) -> None:
    measured.cpu += system.cpu() - before
    measured.database_cpu += system.database_cpu() - database_before
    measured.rates.append(load.rate)
    measured.latencies.extend(load.latencies)


def _report(route: str, measured: Mapping[str, Measured], section: Section) -> None:
    rows: list[Row] = []
    for name, each in measured.items():
        number = len(each.latencies)
        rows.append(
            {
                "": name,
                "requests/s": statistics.median(each.rates),
                "p50 ms": each.percentile(0.5),
                "p99 ms": each.percentile(0.99),
                "CPU µs": each.cpu / number * 1e6,
                "database's CPU µs": each.database_cpu / number * 1e6,
            }
        )
    section.tables.append(
        Table(f"{route}, by a customer who is signed in, {CONNECTIONS} connections", rows)
    )
    if BARE in measured:
        ratio = _times(measured[ONE], measured[BARE])
        claim = (
            f"{route}: at least {OF_UNGUARDED} of the requests/s without token check, policy, "
            f"limits and tracing"
        )
        section.budgets.append(Budget(claim, ratio, ratio >= OF_UNGUARDED))
    if route in COMPARED_WITH_PLAIN:
        ratio = _times(measured[ONE], measured[PLAIN])
        claim = (
            f"{route}, with tokens, on SQLite: at least {TIMES_PLAIN}x the requests/s of FastAPI + "
            f"SQLModel"
        )
        section.budgets.append(Budget(claim, ratio, ratio >= TIMES_PLAIN))


def _times(one: Measured, other: Measured) -> float:
    # Those that took turns: some systems have had more rounds.
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=False))
