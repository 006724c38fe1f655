"""Servers that the benchmarks call, each in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

Serve = Callable[[Callable[[str], None]], Awaitable[None]]
"""Serves until it is cancelled; says its address when it can be called."""

START_TIMEOUT = 30.0


@contextmanager
def in_another_process(serve: Serve) -> Iterator[str]:
    """Run `serve` in a process of its own while the block runs; gives its address.

    Args:
        serve: a function that can be imported by name, or a `functools.partial` of one.

    Raises:
        RuntimeError: it did not say its address in time.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(serve, sending), daemon=True)
    process.start()
    sending.close()
    try:
        yield _address(receiving)
    finally:
        if process.pid is not None:
            os.kill(process.pid, signal.SIGTERM)
        process.join()


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
