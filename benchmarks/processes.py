"""What processes need: memory, and time to be ready, in one process, in several and after a kill.

Databases are embedded. The split shop has a broker, whose memory does not count.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from benchmarks.broker import nats_server
from benchmarks.checkouts.systems import SERVICES, free_address
from benchmarks.memory import mebibytes
from benchmarks.report import Budget, Options, Row, Section, Table
from benchmarks.routes.load import RefusedError, ask, send
from benchmarks.servers import Server, module_process
from director import monolith

STARTS: Final = 3
"""How often each is started, at most."""

LOADED: Final = 0.5
"""Seconds of load before a process is ended."""

PART: Final = 0.25
READY_SECONDS: Final = 1.0
READY_TIMEOUT: Final = 30.0

_READY: Final = b"GET /readyz HTTP/1.1\r\nHost: shop\r\n\r\n"
_NEW_CART: Final = (
    b"POST /v1/carts HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)


async def measure_processes(options: Options) -> Section:
    """Measure memory and starts."""
    starts = min(options.rounds, STARTS)
    one = [await _start_one(killed=False) for _ in range(starts)]
    split = [await _start_split() for _ in range(starts)]
    killed = [await _start_one(killed=True) for _ in range(starts)]
    options.progress()
    rows: list[Row] = []
    for name, figures in (
        ("the shop in one process", one),
        ("each of the services and the director apart", split),
        ("in one process, after kill -9 while carts were written", killed),
    ):
        seconds, mebibytes = zip(*figures, strict=True)
        rows.append(
            {
                "": name,
                "ready after s": statistics.median(seconds),
                "MiB": statistics.median(mebibytes),
            }
        )
    ready = statistics.median(seconds for seconds, _ in one)
    claim = f"the shop in one process is ready after at most {READY_SECONDS} s"
    part = statistics.median(mib for _, mib in one) / statistics.median(mib for _, mib in split)
    smaller = f"its memory is at most {PART} of the split shop's"
    return Section(
        [Table("Processes on SQLite", rows)],
        [Budget(claim, ready, ready <= READY_SECONDS), Budget(smaller, part, part <= PART)],
    )


async def _start_one(*, killed: bool) -> tuple[float, float]:
    """Seconds until the shop is ready, and its mebibytes then.

    Args:
        killed: start it where another one was ended with `kill -9` while it wrote.
    """
    with tempfile.TemporaryDirectory(prefix="shop-") as directory:
        arguments = ("--http", "127.0.0.1:0", "--data", directory)
        if killed:
            with module_process(monolith.__name__, *arguments) as server:
                await _kill_under_load(server)
        begun = time.perf_counter()
        with module_process(monolith.__name__, *arguments) as server:
            await _ready(server)
            return time.perf_counter() - begun, mebibytes([server.pid])


async def _start_split() -> tuple[float, float]:
    """The same for a process for each service, and one for the director; a broker is there."""
    with (
        tempfile.TemporaryDirectory(prefix="shop-") as directory,
        nats_server() as broker,
        ExitStack() as stack,
    ):
        arguments = ("--topology", _write_split(Path(directory), broker.url), "--data", directory)
        begun = time.perf_counter()
        # All at once, as whatever runs them does.
        with ThreadPoolExecutor() as threads:
            starting = [
                threads.submit(stack.enter_context, module_process(module, *arguments, *more))
                for module, more in (
                    *((module, ()) for module in SERVICES.values()),
                    (monolith.__name__, ("--process", "director")),
                )
            ]
        processes = [each.result() for each in starting]
        await _ready(processes[-1])
        return time.perf_counter() - begun, mebibytes(process.pid for process in processes)


def _write_split(directory: Path, broker: str) -> str:
    """Write a topology of the split shop; gives the file's path."""
    processes = [
        f'[process.{name}]\nservices = ["{name}"]\ngrpc = "{free_address()}"\n' for name in SERVICES
    ]
    director = f'[process.director]\nservices = []\nhttp = "{free_address()}"\n'
    events = f'[events]\nbroker = "{broker}"\n'
    file = directory / "split.toml"
    file.write_text("\n".join((*processes, director, events)), encoding="utf-8")
    return str(file)


async def _kill_under_load(server: Server) -> None:
    await _ready(server)
    loading = asyncio.ensure_future(send(server.address, [_NEW_CART], 10.0))
    await asyncio.sleep(LOADED)
    os.kill(server.pid, signal.SIGKILL)
    with suppress(OSError):
        await loading


async def _ready(server: Server) -> None:
    """Wait until `/readyz` says that everything answers."""
    until = time.monotonic() + READY_TIMEOUT
    while True:
        try:
            await ask(server.address, [_READY])
        except RefusedError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.01)
        else:
            return
