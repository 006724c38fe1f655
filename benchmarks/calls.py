"""What calls of the message bus cost, and an HTTP read, by what the design asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from benchmarks import bus, grpc_inprocess, http_read, shapes, streaming
from benchmarks.measuring import Result
from benchmarks.report import Budget, Options, Section, table_of

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
    HTTP: http_read.measure_http,
}
"""What is measured, by its title."""


async def measure_calls(options: Options) -> Section:
    """Measure calls of the bus, and what stands around them."""
    tables = {
        title: await table(options.rounds, options.progress) for title, table in TABLES.items()
    }

    def result(title: str, name: str) -> Result:
        return next(each for each in tables[title] if each.name == name)

    def at_most(what: str, budget: float, title: str, name: str) -> Budget:
        ratio = result(title, name).ratio.median
        return Budget(f"{what}: at most {budget}x", ratio, ratio <= budget)

    cheaper = (
        result(BUS, bus.OVER_GRPC).microseconds.median
        / result(BUS, bus.IN_PROCESS).microseconds.median
    )
    throughput = 1 / result(HTTP, http_read.SHOP).ratio.median
    budgets = [
        at_most("a call within a call, as multiples of a bare await", 25, BUS, bus.IN_PROCESS),
        at_most("the same with a token", 25, BUS, bus.SIGNED_IN),
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
    return Section([table_of(title, results) for title, results in tables.items()], budgets)
