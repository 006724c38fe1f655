"""The port where other processes call."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from conformance.handler import Conformance
from conformance.requests import LONG, events, failure_of, new_key, noted, waiting
from conformance.v1.conformance import AddRequest, EchoRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import GrpcChannel, HandlerRegistry, open_channel
from seam.contract.errors import Code
from seam.runtime.grpc_server import serve_grpc
from seam.runtime.topology import Address

ANY = Address("127.0.0.1", 0)


@asynccontextmanager
async def served(address: Address = ANY, *, grace: float = 10) -> AsyncIterator[Address]:
    registry = HandlerRegistry()
    registry.register(register_conformance(Conformance()))
    async with serve_grpc([CONFORMANCE], registry, address, grace=grace) as bound:
        yield bound


async def test_tools_find_out_by_reflection_what_is_served() -> None:
    async with (
        served() as address,
        grpc.aio.insecure_channel(str(address)) as connection,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(connection)
        questions = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(
                file_containing_symbol="conformance.v1.Conformance"
            ),
        ]
        listed, described = [
            answer async for answer in stub.ServerReflectionInfo(iter(questions), timeout=10)
        ]
    assert {service.name for service in listed.list_services_response.service} == {
        "conformance.v1.Conformance",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    files = [
        FileDescriptorProto.FromString(each)
        for each in described.file_descriptor_response.file_descriptor_proto
    ]
    methods = {
        method.name
        for file in files
        for service in file.service
        if service.name == "Conformance"
        for method in service.method
    }
    assert methods == {method.name for method in CONFORMANCE.methods}


async def test_health_tells_of_the_process_and_of_each_of_its_services() -> None:
    async with (
        served() as address,
        grpc.aio.insecure_channel(str(address)) as connection,
    ):
        stub = health_pb2_grpc.HealthStub(connection)
        for service in ("", CONFORMANCE.name):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Check(health_pb2.HealthCheckRequest(service="nobody.v1.Nobody"), timeout=10)
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_calls_under_way_are_finished_and_callers_are_told_to_go_elsewhere() -> None:
    key = new_key()
    leave = asyncio.Event()
    bound: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    async def process() -> None:
        async with served() as address:
            bound.set_result(address)
            await leave.wait()

    running = asyncio.create_task(process())
    address = await bound
    async with (
        open_channel(str(address), [CONFORMANCE]) as connection,
        grpc.aio.insecure_channel(str(address)) as other,
    ):
        stub = ConformanceStub(GrpcChannel(connection))
        watch = health_pb2_grpc.HealthStub(other).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        under_way = asyncio.ensure_future(stub.wait(waiting(timedelta(seconds=1), key), timeout=20))
        await noted(stub, key, "wait.begun")
        begun = time.monotonic()
        leave.set()
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        await under_way
        await asyncio.wait_for(running, 20)
        # Not before the call has ended, and not after all of the ten seconds it might have taken.
        assert 0.3 < time.monotonic() - begun < 5
        error = await failure_of(stub.add(AddRequest(key=key), timeout=5))
        assert error.code is Code.UNAVAILABLE


async def test_connections_on_which_nothing_is_under_way_do_not_hold_up_the_end() -> None:
    """Callers watch the health of a process for as long as they are connected."""
    async with AsyncExitStack() as process:
        address = await process.enter_async_context(served())
        async with open_channel(str(address), [CONFORMANCE]) as connection:
            stub = ConformanceStub(GrpcChannel(connection))
            await stub.echo(EchoRequest())
            begun = time.monotonic()
            await process.aclose()
            assert time.monotonic() - begun < 5


async def test_calls_that_take_longer_than_the_grace_are_ended() -> None:
    key = new_key()
    async with AsyncExitStack() as process:
        address = await process.enter_async_context(served(grace=0.3))
        async with open_channel(str(address), [CONFORMANCE]) as connection:
            stub = ConformanceStub(GrpcChannel(connection))
            late = asyncio.ensure_future(failure_of(stub.wait(waiting(LONG, key), timeout=30)))
            await noted(stub, key, "wait.begun")
            begun = time.monotonic()
            await process.aclose()
            assert time.monotonic() - begun < 5
            assert (await late).code in {Code.UNAVAILABLE, Code.CANCELLED}


async def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address"):
            async with served(Address("127.0.0.1", taken.getsockname()[1])):
                pass


async def test_two_processes_do_not_share_a_port() -> None:
    async with served() as address:
        with pytest.raises(OSError, match="address"):
            async with served(address):
                pass


async def test_a_process_can_be_called_over_a_unix_socket() -> None:
    key = new_key()
    with tempfile.TemporaryDirectory(prefix="seam-") as directory:
        address = Address.parse(f"unix:{Path(directory, 'socket')}")
        async with served(address) as bound:
            assert bound == address
            async with open_channel(str(bound), [CONFORMANCE]) as connection:
                stub = ConformanceStub(GrpcChannel(connection))
                assert (await stub.add(AddRequest(key=key))).number == 1
                assert await events(stub, key) == {"add": 1}
