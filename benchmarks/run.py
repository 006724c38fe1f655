"""Measures what the README claims, and prints it as tables or as JSON.

./pants run benchmarks/run.py
./pants run benchmarks/run.py -- routes --rounds 30
./pants run benchmarks/run.py -- --json
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import grpc
import msgspec
import uvloop
from cyclopts import App
from rich.console import Console
from rich.progress import Progress

from benchmarks.calls import measure_calls
from benchmarks.checkouts.measure import measure_checkouts
from benchmarks.events.measure import measure_events
from benchmarks.front.measure import measure_front
from benchmarks.processes import measure_processes
from benchmarks.report import Options, Section, print_report, report_json
from benchmarks.repositories.measure import measure_repositories
from benchmarks.routes.measure import measure_routes

app = App(name="benchmarks", help="Measure what the README claims.", version_flags=[])

Name = Literal["calls", "routes", "repositories", "events", "checkouts", "processes", "front"]

BENCHMARKS: Final[dict[Name, Callable[[Options], Awaitable[Section]]]] = {
    "calls": measure_calls,
    "routes": measure_routes,
    "repositories": measure_repositories,
    "events": measure_events,
    "checkouts": measure_checkouts,
    "processes": measure_processes,
    "front": measure_front,
}


@app.default
def main(
    *only: Name,
    rounds: int = 15,
    seconds: float = 0.25,
    items: int = 10_000,
    json: bool = False,
) -> None:
    """Run all benchmarks, or some.

    Args:
        only: the benchmarks to run.
        rounds: how often everything is measured in turns.
        seconds: how long an HTTP route is under load in each round.
        items: how many items the catalogue has.
        json: print JSON, for machines, in place of tables.
    """
    chosen = only or tuple(BENCHMARKS)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=None)
        options = Options(rounds, seconds, items, lambda: progress.advance(task))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            sections = runner.run(_measure(chosen, options))
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
    }
    if json:
        report = report_json(machine, sections)
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        print_report(machine, sections)


async def _measure(names: Sequence[Name], options: Options) -> list[Section]:
    return [await BENCHMARKS[name](options) for name in names]


if __name__ == "__main__":
    app()
