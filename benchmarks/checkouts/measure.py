"""Checkouts a second, CPU and latency, memory, and how long a shop needs after `kill -9`."""

from __future__ import annotations

import asyncio
import statistics
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from benchmarks.checkouts.orders import (
    check,
    orders,
    ready,
    until_confirmed,
    until_ended,
)
from benchmarks.checkouts.systems import SYSTEMS, Shop
from benchmarks.memory import mebibytes
from benchmarks.report import Budget, Options, Row, Section, Table
from benchmarks.routes.load import CONNECTIONS, Load, RefusedError, send_once

TOGETHER: Final = 128
"""Checkouts of a round that compete, as many at a time as there are connections."""

ALONE: Final = 20
"""Checkouts of a round that come one after the other, for latency."""

ROUNDS: Final = 5
"""Rounds, at most."""

KILLED_AFTER: Final = 0.2
"""Seconds of checkouts before a process is killed."""

CPU_AT_MOST: Final = 1 / 3
LATENCY_AT_MOST: Final = 1 / 5
MEMORY_AT_MOST: Final = 1 / 4


@dataclass
class Measured:
    """One shop, over all rounds; all times are seconds.

    Attributes:
        rates: checkouts a second.
        cpu: of a checkout: the shop's processes and its broker.
        database_cpu: the same of its database server.
        alone: how long checkouts took that were alone.
        together: the same of those that competed.
        memory: mebibytes of all processes of the shop.
        confirmed: from a kill to the first confirmed order.
        ended: from a kill until all orders have ended that were under way.
    """

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    memory: float = 0.0
    confirmed: float = 0.0
    ended: float = 0.0


async def measure_checkouts(options: Options) -> Section:
    """Measure all shops in turns."""
    measured = {name: Measured() for name in SYSTEMS}
    with ExitStack() as stack:
        shops = {name: stack.enter_context(opened()) for name, opened in SYSTEMS.items()}
        for shop in shops.values():
            await ready(shop.address)
            await _order(shop, CONNECTIONS, CONNECTIONS)
        for _ in range(min(options.rounds, ROUNDS)):
            for name, shop in shops.items():
                await _measure(shop, measured[name])
                options.progress()
        for name, shop in shops.items():
            measured[name].memory = mebibytes(shop.pids())
            await _kill(shop, measured[name])
            options.progress()
    return _section(measured)


async def _order(shop: Shop, number: int, connections: int) -> Load:
    load, bodies = await send_once(shop.address, await orders(shop.address, number), connections)
    check(bodies)
    return load


async def _measure(shop: Shop, measured: Measured) -> None:
    alone = await _order(shop, ALONE, 1)
    measured.alone.extend(alone.latencies)
    requests = await orders(shop.address, TOGETHER)
    before, database_before = shop.cpu()
    load, bodies = await send_once(shop.address, requests)
    used, database_used = shop.cpu()
    check(bodies)
    measured.rates.append(load.rate)
    measured.together.extend(load.latencies)
    measured.cpu.append((used - before) / TOGETHER)
    measured.database_cpu.append((database_used - database_before) / TOGETHER)


async def _kill(shop: Shop, measured: Measured) -> None:
    """Kill the process that takes orders while it does, and start it again at once."""
    requests = await orders(shop.address, TOGETHER)
    (later,) = await orders(shop.address, 1)
    load = asyncio.create_task(send_once(shop.address, requests))
    await asyncio.sleep(KILLED_AFTER)
    begun = perf_counter()
    shop.kill(shop.takes_orders)
    with suppress(OSError, RefusedError):
        await load
    shop.start(shop.takes_orders)
    await until_confirmed(shop.address, later)
    measured.confirmed = perf_counter() - begun
    await until_ended(shop.address)
    measured.ended = perf_counter() - begun


def _section(measured: dict[str, Measured]) -> Section:
    (split,) = list(measured.values())[-1:]
    rows: list[Row] = []
    after: list[Row] = []
    budgets: list[Budget] = []
    for name, each in measured.items():
        figures = (
            ("CPU", statistics.median(each.cpu), statistics.median(split.cpu), CPU_AT_MOST),
            (
                "latency",
                statistics.median(each.alone),
                statistics.median(split.alone),
                LATENCY_AT_MOST,
            ),
            ("memory", each.memory, split.memory, MEMORY_AT_MOST),
        )
        parts = {what: own / of_split for what, own, of_split, _ in figures}
        own_budgets = [
            Budget(
                f"a checkout in {name}: at most {at_most:.2f} of the split shop's {what}",
                parts[what],
                parts[what] <= at_most,
            )
            for what, _, _, at_most in figures
            if each is not split
        ]
        budgets.extend(own_budgets)
        rows.append(
            {
                "": name,
                "checkouts/s": statistics.median(each.rates),
                "CPU ms": statistics.median(each.cpu) * 1e3,
                "part": parts["CPU"],
                "database's CPU ms": statistics.median(each.database_cpu) * 1e3,
                "alone: ms": statistics.median(each.alone) * 1e3,
                "part ": parts["latency"],
                f"{CONNECTIONS} at a time: ms": statistics.median(each.together) * 1e3,
                "MiB": each.memory,
                "part  ": parts["memory"],
                " ": "" if all(budget.holds for budget in own_budgets) else "MISSED",
            }
        )
        after.append(
            {
                "": name,
                "first confirmed order after s": each.confirmed,
                "those under way have ended after s": each.ended,
            }
        )
    title = (
        f"Checkouts of {CONNECTIONS} customers; budget: at most {CPU_AT_MOST:.2f} of the split "
        f"shop's CPU, {LATENCY_AT_MOST} of its latency, {MEMORY_AT_MOST} of its memory"
    )
    killed = "After kill -9 of the process that takes orders, which is started again at once"
    return Section([Table(title, rows), Table(killed, after)], budgets)
