"""Measures what the README claims, and prints it as tables or as JSON.

./pants run benchmarks/run.py
./pants run benchmarks/run.py -- --json
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import grpc
import msgspec
import uvloop
from cyclopts import App
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import bus, grpc_inprocess, http, shapes, streaming
from benchmarks.measuring import Result

app = App(name="benchmarks", help="Measure what the README claims.", version_flags=[])


@dataclass(frozen=True)
class Budget:
    """A figure that the design asks for.

    Attributes:
        claim: what must hold.
        measured: the figure, the middle of all rounds.
        holds: whether it does.
    """

    claim: str
    measured: float
    holds: bool


@dataclass(frozen=True)
class Report:
    """All that one run measured.

    Attributes:
        machine: what it ran on.
        tables: results by title; the first result of a table is its baseline.
        budgets: what the design asks for.
    """

    machine: dict[str, str | int | None]
    tables: dict[str, list[Result]]
    budgets: list[Budget]


@app.default
def main(*, rounds: int = 15, json: bool = False) -> None:
    """Run all benchmarks.

    Args:
        rounds: how often everything is measured in turns.
        json: print JSON, for machines, in place of tables.
    """
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=len(TABLES) * (rounds + 1))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_measure(rounds, lambda: progress.advance(task)))
    if json:
        print(msgspec.json.format(msgspec.json.encode(dataclasses.asdict(report))).decode())
    else:
        _print(report)


BUS: Final = "One batch read of ten items, one call at a time"
HTTP: Final = "GET /v1/inventory/{sku}, 16 connections"
STREAM: Final = "A message of a stream, one kibibyte"
INTERCEPTORS: Final = "The same call in one process, by interceptors around it"
REMOTE: Final = "The same over gRPC, {} at a time"
CONCURRENT: Final = (1, 16, 128)

TABLES: Final[dict[str, Callable[[int, Callable[[], object]], Awaitable[list[Result]]]]] = {
    BUS: bus.measure_bus,
    **{REMOTE.format(many): partial(bus.measure_remote, many) for many in CONCURRENT},
    STREAM: streaming.measure_streaming,
    INTERCEPTORS: shapes.measure_interceptors,
    "The same call in one process, by calls inside of it": shapes.measure_depth,
    "A standard gRPC servicer and stub": grpc_inprocess.measure_grpc_local,
    HTTP: http.measure_http,
}
"""What is measured, by its title."""


async def _measure(rounds: int, progress: Callable[[], object]) -> Report:
    tables = {title: await table(rounds, progress) for title, table in TABLES.items()}

    def result(title: str, name: str) -> Result:
        return next(each for each in tables[title] if each.name == name)

    def at_most(what: str, budget: float, title: str, name: str) -> Budget:
        ratio = result(title, name).ratio.median
        return Budget(f"{what}: at most {budget}x", ratio, ratio <= budget)

    cheaper = (
        result(BUS, bus.OVER_GRPC).microseconds.median
        / result(BUS, bus.IN_PROCESS).microseconds.median
    )
    throughput = 1 / result(HTTP, http.SHOP).ratio.median
    budgets = [
        at_most("a call within a call, as multiples of a bare await", 25, BUS, bus.IN_PROCESS),
        at_most("a task's first call", 50, BUS, bus.IN_PROCESS_OUTERMOST),
        at_most("a call with 8 interceptors", 40, INTERCEPTORS, shapes.intercepted(8)),
        Budget(
            "an in-process call is at least 100x cheaper than over gRPC", cheaper, cheaper >= 100
        ),
        *(
            at_most(
                f"a remote call, as multiples of grpc.aio by hand, {many} at a time",
                1.1,
                REMOTE.format(many),
                bus.OVER_GRPC,
            )
            for many in CONCURRENT
        ),
        at_most(
            "a streamed message, as multiples of grpc.aio by hand",
            1.15,
            STREAM,
            streaming.OVER_GRPC,
        ),
        Budget("an HTTP read has at least 0.95x the throughput", throughput, throughput >= 0.95),
    ]
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
    }
    return Report(machine, tables, budgets)


def _print(report: Report) -> None:
    console = Console(width=110)
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()))
    for title, results in report.tables.items():
        table = Table(title=title, title_justify="left")
        table.add_column("")
        for heading in ("µs min", "median", "max", "ratio min", "median", "max"):
            table.add_column(heading, justify="right")
        for result in results:
            figures = (
                *dataclasses.astuple(result.microseconds),
                *dataclasses.astuple(result.ratio),
            )
            table.add_row(result.name, *(f"{figure:,.2f}" for figure in figures))
        console.print(table)
    table = Table(title="Budgets", title_justify="left")
    for heading in ("what must hold", "measured", ""):
        table.add_column(heading)
    for budget in report.budgets:
        table.add_row(
            budget.claim, f"{budget.measured:,.2f}", "holds" if budget.holds else "MISSED"
        )
    console.print(table)


if __name__ == "__main__":
    app()
