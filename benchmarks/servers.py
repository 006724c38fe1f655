"""Servers that the benchmarks call, each in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

Serve = Callable[[Callable[[str], None]], Awaitable[None]]
"""Serves until it is cancelled; says its address when it can be called."""

START_TIMEOUT = 60.0
"""Seconds; everything is started at once, and the machine may do other things as well."""

_LISTENING = re.compile(r"listening on \w+://(.+)")


@contextmanager
def in_another_process(serve: Serve) -> Iterator[str]:
    """Run `serve` in a process of its own while the block runs; gives its address.

    Args:
        serve: a function that can be imported by name, or a `functools.partial` of one.

    Raises:
        RuntimeError: it did not say its address in time.
    """
    with server_process(serve) as server:
        yield server.address


@dataclass(frozen=True)
class Server:
    """A server in a process of its own.

    Attributes:
        address: HOST:PORT.
        pid: the process.
    """

    address: str
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, all threads and the kernel's share."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used, all threads and the kernel's share."""
    # What clock_getcpuclockid(3) gives, which Python does not offer: see CPUCLOCK_SCHED in the
    # kernel's posix-timers.h.
    return time.clock_gettime((~pid << 3) | 2)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in tasks for child in each.read_text(encoding="ascii").split()]


@contextmanager
def server_process(serve: Serve, **environment: str) -> Iterator[Server]:
    """Run `serve` in a process of its own while the block runs.

    Args:
        serve: a function that can be imported by name, or a `functools.partial` of one.
        environment: variables of its environment.

    Raises:
        RuntimeError: it did not say its address in time.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(serve, sending), daemon=True)
    os.environ.update(environment)
    process.start()
    for name in environment:
        del os.environ[name]
    sending.close()
    assert process.pid is not None
    try:
        yield Server(_address(receiving), process.pid)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.join()


@contextmanager
def module_process(module: str, *arguments: str) -> Iterator[Server]:
    """Run `python -m MODULE`, which says `listening on http://HOST:PORT`, while the block runs.

    Gives the first address that it says.

    Raises:
        RuntimeError: it ended without saying so, or did not say so in time.
    """
    command = [sys.executable, "-m", module, *arguments]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command, env=_importing_alike(), stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        late = threading.Timer(START_TIMEOUT, process.kill)
        late.start()
        try:
            listening = _LISTENING.match(process.stdout.readline())
            late.cancel()
            if listening is None:
                log.seek(0)
                raise RuntimeError(f"{module} did not start:\n{log.read()}")
            yield Server(listening[1], process.pid)
        finally:
            process.terminate()


def run_module(module: str, *arguments: str, **environment: str) -> str:
    """Run `python -m MODULE` to its end; gives what it printed.

    Args:
        module: the module.
        arguments: its arguments.
        environment: variables of its environment.

    Raises:
        RuntimeError: it failed; has what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=_importing_alike() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def _importing_alike() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


async def serve_grpc(server: grpc.aio.Server, listening: Callable[[str], None]) -> None:
    """Serve gRPC, and that it is healthy, until it is cancelled, on a port that it says."""
    serving = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    await serving.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    listening(f"127.0.0.1:{port}")
    try:
        await server.wait_for_termination()
    finally:
        await server.stop(None)


def _address(receiving: Connection) -> str:
    try:
        if receiving.poll(START_TIMEOUT):
            return str(receiving.recv())
    except EOFError:
        pass
    raise RuntimeError("a benchmark's server did not start")


def _run(serve: Serve, sending: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_asked_to_end(serve, sending))


async def _until_asked_to_end(serve: Serve, sending: Connection) -> None:
    serving = asyncio.ensure_future(serve(sending.send))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()
