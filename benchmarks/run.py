"""Measures what the README claims, and prints it as tables or as JSON.

./pants run benchmarks/run.py
./pants run benchmarks/run.py -- --json
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import platform
from dataclasses import dataclass

import grpc
import msgspec
import uvloop
from cyclopts import App
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import bus, http
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
        task = progress.add_task("measuring", total=4 * (rounds + 1))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_measure(rounds, lambda: progress.advance(task)))
    if json:
        print(msgspec.json.format(msgspec.json.encode(dataclasses.asdict(report))).decode())
    else:
        _print(report)


async def _measure(rounds: int, progress: object) -> Report:
    assert callable(progress)
    tables = {
        "One batch read of ten items, one call at a time": await bus.measure_bus(rounds, progress),
        "The same over gRPC, one call at a time": await bus.measure_remote(rounds, 1, progress),
        "The same over gRPC, 16 calls at a time": await bus.measure_remote(rounds, 16, progress),
        "GET /v1/inventory/{sku}, 16 connections": await http.measure_http(rounds, progress),
    }
    one, alone, many, read = ({each.name: each for each in table} for table in tables.values())
    in_process = one[bus.IN_PROCESS].microseconds.median
    times_cheaper = one[bus.OVER_GRPC].microseconds.median / in_process
    throughput = 1 / read[http.SHOP].ratio.median
    remote, remote_16 = (table[bus.OVER_GRPC].ratio.median for table in (alone, many))
    budgets = [
        Budget("an in-process call takes at most 2 µs", in_process, in_process <= 2),
        Budget("and is at least 100x cheaper than over gRPC", times_cheaper, times_cheaper >= 100),
        Budget("a remote call takes at most 1.10x bare grpc.aio", remote, remote <= 1.10),
        Budget("also with 16 at a time", remote_16, remote_16 <= 1.10),
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
