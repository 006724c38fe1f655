"""What a message of a stream costs: over the bus in one process and over gRPC, and by hand."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import grpc

from benchmarks.measuring import Result, Way, measure
from benchmarks.servers import in_another_process, serve_grpc
from conformance.handler import Conformance
from conformance.v1 import conformance_pb2, conformance_pb2_grpc
from conformance.v1.conformance import DownloadRequest
from conformance.v1.conformance_bus import (
    CONFORMANCE,
    ConformanceStub,
    register_conformance,
)
from seam.bus import GrpcChannel, HandlerRegistry, InProcessChannel, open_channel, servicer
from seam.bus.grpc.server import make_server

SIZE: Final = 1024
BY_HAND: Final = "grpc.aio by hand"
OVER_GRPC: Final = "bus over gRPC"
IN_PROCESS: Final = "bus, in process"

Download = Callable[[int], AsyncIterable[Any]]
"""Asks for so many messages."""


async def download_by_hand(
    request: conformance_pb2.DownloadRequest, _: object
) -> AsyncIterator[conformance_pb2.Chunk]:
    """The same stream with the messages that protoc makes."""
    data = bytes(request.size)
    for number in range(request.count):
        yield conformance_pb2.Chunk(number=number, data=data)


async def measure_streaming(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure messages of a kibibyte, sent as fast as they are read."""
    async with AsyncExitStack() as stack:
        by_hand_at = stack.enter_context(in_another_process(serve_by_hand))
        bare = await stack.enter_async_context(grpc.aio.insecure_channel(by_hand_at))
        by_hand = conformance_pb2_grpc.ConformanceStub(bare)
        bus_at = stack.enter_context(in_another_process(serve_bus))
        connection = await stack.enter_async_context(open_channel(bus_at, [CONFORMANCE]))
        over_grpc = ConformanceStub(GrpcChannel(connection))
        registry = HandlerRegistry()
        registry.register(register_conformance(Conformance()))
        local = InProcessChannel(registry)
        ways = [
            Way(BY_HAND, _downloads(_by_hand(by_hand)), 1_000),
            Way(OVER_GRPC, _downloads(_over_bus(over_grpc)), 1_000),
            Way(IN_PROCESS, _downloads(_over_bus(ConformanceStub(local))), 5_000),
        ]
        return await measure(ways, baseline=BY_HAND, rounds=rounds, progress=progress)


async def serve_by_hand(listening: Callable[[str], None]) -> None:
    """Answer with a hand-written servicer."""
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(
        download_by_hand,
        request_deserializer=conformance_pb2.DownloadRequest.FromString,
        response_serializer=conformance_pb2.Chunk.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(CONFORMANCE.name, {"Download": handler})]
    )
    await serve_grpc(server, listening)


async def serve_bus(listening: Callable[[str], None]) -> None:
    """Answer over the bus."""
    registry = HandlerRegistry()
    registry.register(register_conformance(Conformance()))
    server = make_server()
    server.add_generic_rpc_handlers([servicer(CONFORMANCE, registry)])
    await serve_grpc(server, listening)


def _by_hand(stub: conformance_pb2_grpc.ConformanceAsyncStub) -> Download:
    def download(count: int) -> AsyncIterable[Any]:
        return stub.Download(conformance_pb2.DownloadRequest(count=count, size=SIZE))

    return download


def _over_bus(stub: ConformanceStub) -> Download:
    def download(count: int) -> AsyncIterable[Any]:
        return stub.download(DownloadRequest(count=count, size=SIZE, key=""))

    return download


def _downloads(download: Download) -> Callable[[int], Awaitable[None]]:
    async def run(times: int) -> None:
        received = 0
        async for chunk in download(times):
            received += len(chunk.data) == SIZE
        if received != times:
            raise RuntimeError(f"{received} of {times} messages arrived")

    return run
