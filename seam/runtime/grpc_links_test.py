"""Links between processes that are quiet, and what gRPC knows of the options that we set."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from grpc._cython import cygrpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from conformance.v1.conformance import EchoRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from conformance.wiring import server_process
from seam.bus import GrpcChannel, open_channel
from seam.bus.grpc.connection import CHANNEL_OPTIONS, service_config, target_of
from seam.bus.grpc.server import SERVER_OPTIONS
from seam.contract import StatusError

LIBRARY = Path(cygrpc.__file__).read_bytes()

FOREIGN_TOLERANCE_MS = 300_000
"""How often a server that sets nothing lets clients ping it. Source: gRPC's keepalive guide."""


@pytest.mark.parametrize("name", [name for name, _ in (*CHANNEL_OPTIONS, *SERVER_OPTIONS)])
def test_the_installed_library_knows_every_option_that_is_set(name: str) -> None:
    assert name.encode() + b"\0" in LIBRARY


@pytest.mark.parametrize("policy", ["outlier_detection_experimental", "round_robin"])
def test_the_installed_library_knows_the_policies_of_the_service_config(policy: str) -> None:
    assert policy in str(service_config([CONFORMANCE]))
    assert policy.encode() + b"\0" in LIBRARY


def test_a_client_asks_no_more_often_than_any_server_tolerates() -> None:
    asked = dict(CHANNEL_OPTIONS)["grpc.keepalive_time_ms"]
    assert asked > FOREIGN_TOLERANCE_MS
    assert asked > dict(SERVER_OPTIONS)["grpc.http2.min_ping_interval_without_data_ms"]


async def lives(options: tuple[tuple[str, int], ...]) -> bool:
    """Whether a quiet link outlives ten pings, one every half second."""
    server = grpc.aio.server(options=options)
    serving = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    await serving.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pinging = (("grpc.keepalive_time_ms", 500), ("grpc.http2.max_pings_without_data", 0))
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=pinging) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            await watch.read()
            ended, _ = await asyncio.wait([asyncio.create_task(watch.read())], timeout=5)
            for reading in ended:
                assert isinstance(reading.exception(), grpc.aio.AioRpcError)
            return not ended
    finally:
        await server.stop(None)


async def test_a_server_lets_a_quiet_link_live_and_would_not_if_the_option_were_another() -> None:
    name = "grpc.http2.min_ping_interval_without_data_ms"
    assert name in dict(SERVER_OPTIONS)
    kept, cut = await asyncio.gather(lives(((name, 250),)), lives(()))
    assert (kept, cut) == (True, False)


@pytest.mark.parametrize(("workers", "limit"), [(8, 0.5), (4, None)])
async def test_a_peer_that_has_stopped_is_left_for_the_others(
    workers: int, limit: float | None
) -> None:
    """Also by few callers, who all wait for it: the contract gives them five seconds."""
    async with (
        server_process() as stopped,
        server_process() as running,
        open_channel(target_of([stopped.address, running.address]), [CONFORMANCE]) as connection,
    ):
        stub = ConformanceStub(GrpcChannel(connection))
        await stub.echo(EchoRequest())

        async def answered(seconds: float) -> int:
            """Let all workers call one after the other, and count what is answered."""
            count = 0
            end = time.monotonic() + seconds

            async def work() -> None:
                nonlocal count
                while time.monotonic() < end:
                    with suppress(StatusError):
                        await stub.echo(EchoRequest(), timeout=limit)
                        count += 1
                    await asyncio.sleep(0.02)

            await asyncio.gather(*(work() for _ in range(workers)))
            return count

        before = await answered(2)
        os.kill(stopped.pid, signal.SIGSTOP)
        try:
            # Time-outs must come to be known: one limit, or a ping's, and an interval of gRPC's.
            # That takes three seconds, and longer where others use the machine.
            await answered(3)
            for _ in range(5):
                if await answered(2) > before / 2:
                    break
            else:
                raise AssertionError("calls go on waiting for the peer that has stopped")
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
