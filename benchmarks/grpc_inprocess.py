"""What existing gRPC code gains within one process: the same stub and servicer, two channels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import grpc
from grpc_examples.v1 import greeter_pb2, greeter_pb2_grpc

from benchmarks.measuring import Result, Way, measure
from lib.grpc_inprocess import LocalChannel, LocalServer
from lib.grpc_inprocess.examples import Greeter

UNARY_LOCAL: Final = "unary, in process"
UNARY_LOOPBACK: Final = "unary, over a loopback socket"
STREAM_LOCAL: Final = "a streamed message, in process"
STREAM_LOOPBACK: Final = "a streamed message, over a loopback socket"


async def measure_grpc_local(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure calls and streamed messages, one at a time, against a unary call over a socket."""
    async with AsyncExitStack() as stack:
        local_server = LocalServer()
        local = await stack.enter_async_context(LocalChannel(local_server))
        loopback_server = grpc.aio.server()
        port = loopback_server.add_insecure_port("127.0.0.1:0")
        loopback = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        for server in (local_server, loopback_server):
            greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
            await server.start()
            stack.push_async_callback(server.stop, None)
        ways = [
            Way(UNARY_LOOPBACK, _unary(loopback), 150),
            Way(UNARY_LOCAL, _unary(local), 2_000),
            Way(STREAM_LOOPBACK, _stream(loopback), 500),
            Way(STREAM_LOCAL, _stream(local), 10_000),
        ]
        return await measure(ways, baseline=UNARY_LOOPBACK, rounds=rounds, progress=progress)


def _unary(channel: grpc.aio.Channel) -> Callable[[int], Awaitable[None]]:
    stub: Any = greeter_pb2_grpc.GreeterStub(channel)

    async def run(times: int) -> None:
        for _ in range(times):
            await stub.SayHello(greeter_pb2.HelloRequest(name="you"), timeout=2.0)

    return run


def _stream(channel: grpc.aio.Channel) -> Callable[[int], Awaitable[None]]:
    stub: Any = greeter_pb2_grpc.GreeterStub(channel)

    async def run(times: int) -> None:
        request = greeter_pb2.HelloRequest(name="you", times=times)
        async for _ in stub.SayHelloRepeatedly(request):
            pass

    return run
