"""What a call of the message bus costs: one batch read of ten items, in eight ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

import grpc
from contract.v1 import money_pb2
from contract.v1.money import Money
from inventory.v1 import messagebus_pb2, messagebus_pb2_grpc

from benchmarks.measuring import CPU_OF_THIS_THREAD, Result, Way, measure
from benchmarks.servers import Serve, in_another_process, serve_grpc
from seam.auth import NO_ISSUER, Authenticator, ContractPolicy
from seam.bus import (
    BELIEVED,
    Bulkhead,
    GrpcChannel,
    HandlerRegistry,
    InProcessChannel,
    open_channel,
    servicer,
)
from seam.bus.grpc.server import make_server
from seam.bus.handler_task import ServerCall
from seam.bus.nats import NatsChannel, open_nats, serve_nats
from seam.call import ANONYMOUS, CallContext, Principal
from seam.contract.records import Record
from seam.testing.access import EVERYBODY
from seam.testing.issuer import TestIssuer
from seam.testing.nats import NatsServer
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    ExportItemsRequest,
    ExportItemsResponse,
    ReleaseStockRequest,
    ReleaseStockResponse,
    ReserveStockRequest,
    ReserveStockResponse,
    StockItem,
)
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub, register_inventory

ITEMS: Final = 10

CALLER: Final = "orders"
"""The service that calls: one of those whom the contract of inventory names."""

REQUEST: Final = BatchGetItemsRequest(skus=tuple(f"SKU-{number:04}" for number in range(ITEMS)))
RESPONSE: Final = BatchGetItemsResponse(
    items=tuple(
        StockItem(
            sku=sku,
            name=f"The item that is called {sku}",
            price=Money(currency_code="EUR", minor_units=1999),
            available=7,
        )
        for sku in REQUEST.skus
    )
)

DIRECT: Final = "direct await"
IN_PROCESS: Final = "bus, in process"
SIGNED_IN: Final = "bus, in process, signed in"
IN_PROCESS_OUTERMOST: Final = "bus, in process, outermost"
STRICT: Final = "bus, in process, strict"
OVER_GRPC: Final = "bus over gRPC"
OVER_NATS: Final = "bus over NATS"
BARE_GRPC: Final = "grpc.aio by hand"
READY_MADE: Final = "grpc.aio by hand, message ready made"


class Answers:
    """Answers at once, so that nothing but the call is measured."""

    async def batch_get_items(self, _: BatchGetItemsRequest) -> BatchGetItemsResponse:
        """Always the same items."""
        return RESPONSE

    async def reserve_stock(self, request: ReserveStockRequest) -> ReserveStockResponse:
        """Not measured."""
        return ReserveStockResponse(reservation_id=request.reservation_id)

    async def release_stock(self, _: ReleaseStockRequest) -> ReleaseStockResponse:
        """Not measured."""
        return ReleaseStockResponse()

    async def export_items(self, _: ExportItemsRequest) -> ExportItemsResponse:
        """Not measured."""
        return ExportItemsResponse(items=())


class ServicerByHand(messagebus_pb2_grpc.InventoryServicer):
    """The same by hand: makes protobuf messages from what it holds, as a service must."""

    def __init__(self, *, ready_made: bool) -> None:
        """Answer with a new message each time, or with one that is `ready_made`."""
        self._ready = self._answer() if ready_made else None

    async def BatchGetItems(
        self, request: messagebus_pb2.BatchGetItemsRequest, context: object
    ) -> messagebus_pb2.BatchGetItemsResponse:
        """Always the same items."""
        return self._ready or self._answer()

    async def ReserveStock(
        self, request: messagebus_pb2.ReserveStockRequest, context: object
    ) -> messagebus_pb2.ReserveStockResponse:
        """Not measured."""
        return messagebus_pb2.ReserveStockResponse()

    async def ReleaseStock(
        self, request: messagebus_pb2.ReleaseStockRequest, context: object
    ) -> messagebus_pb2.ReleaseStockResponse:
        """Not measured."""
        return messagebus_pb2.ReleaseStockResponse()

    async def ExportItems(
        self, request: messagebus_pb2.ExportItemsRequest, context: object
    ) -> messagebus_pb2.ExportItemsResponse:
        """Not measured."""
        return messagebus_pb2.ExportItemsResponse()

    @staticmethod
    def _answer() -> messagebus_pb2.BatchGetItemsResponse:
        return messagebus_pb2.BatchGetItemsResponse(
            items=[
                messagebus_pb2.StockItem(
                    sku=item.sku,
                    name=item.name,
                    price=money_pb2.Money(
                        currency_code=item.price.currency_code, minor_units=item.price.minor_units
                    ),
                    available=item.available,
                )
                for item in RESPONSE.items
            ]
        )


async def measure_bus(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure every way, with one call at a time, against a bare await."""
    direct = Answers().batch_get_items
    local, strict = _in_process(strict=False), _in_process(strict=True)
    issuer = TestIssuer()
    verifier = issuer.authenticator()
    user = await verifier.verify(issuer.token())
    checked = _in_process(strict=False, authenticator=verifier)
    bare = Way(DIRECT, repeated(lambda: direct(REQUEST)), 100_000)
    ways = [
        bare,
        Way(IN_PROCESS, inside_of_a_call(lambda: local(REQUEST)), 5_000),
        Way(SIGNED_IN, inside_of_a_call(lambda: checked(REQUEST), user), 5_000),
        Way(IN_PROCESS_OUTERMOST, repeated(lambda: local(REQUEST)), 5_000),
        Way(STRICT, inside_of_a_call(lambda: strict(REQUEST)), 500),
    ]
    here = await measure(
        ways, baseline=DIRECT, rounds=rounds, progress=progress, clock=CPU_OF_THIS_THREAD
    )
    async with _remote_calls() as remote:
        ways = [bare, *(Way(name, repeated(call), 150) for name, call in remote.items())]
        away = await measure(ways, baseline=DIRECT, rounds=rounds, progress=progress)
    return [*here, *away[1:]]


async def measure_remote(
    concurrent: int, rounds: int, progress: Callable[[], object]
) -> list[Result]:
    """Measure calls over gRPC, so many at a time, against the same call made by hand."""
    async with _remote_calls() as remote:
        ways = [Way(name, _concurrently(call, concurrent), 512) for name, call in remote.items()]
        return await measure(ways, baseline=BARE_GRPC, rounds=rounds, progress=progress)


@asynccontextmanager
async def _remote_calls() -> AsyncIterator[dict[str, Callable[[], Awaitable[object]]]]:
    """One call in each way that crosses to another process, by the way's name."""
    async with AsyncExitStack() as stack:

        async def open_to(
            serve: Serve, opened: Callable[[str], grpc.aio.Channel]
        ) -> grpc.aio.Channel:
            address = stack.enter_context(in_another_process(serve))
            return await stack.enter_async_context(opened(address))

        bare = grpc.aio.insecure_channel
        by_hand = _by_hand(await open_to(partial(serve_by_hand, ready_made=False), bare))
        ready_made = _by_hand(await open_to(partial(serve_by_hand, ready_made=True), bare))
        # As a process does it: with health, balancing, retries and options.
        connection = await open_to(serve_bus, lambda address: open_channel(address, [INVENTORY]))
        bus = InventoryStub(GrpcChannel(connection).called_by(CALLER)).batch_get_items
        server = NatsServer(Path(stack.enter_context(TemporaryDirectory())))
        stack.callback(server.kill)
        server.start()
        stack.enter_context(in_another_process(partial(serve_bus_over_nats, url=server.url)))
        caller = await stack.enter_async_context(open_nats(server.url))
        over_nats = InventoryStub(NatsChannel(caller).called_by(CALLER)).batch_get_items
        yield {
            BARE_GRPC: by_hand,
            READY_MADE: ready_made,
            OVER_GRPC: lambda: bus(REQUEST),
            OVER_NATS: lambda: over_nats(REQUEST),
        }


async def serve_bus(listening: Callable[[str], None]) -> None:
    """Answer over the bus."""
    registry = HandlerRegistry()
    registry.register(register_inventory(Answers()))
    server = make_server()
    server.add_generic_rpc_handlers([servicer(INVENTORY, registry, callers=BELIEVED)])
    await serve_grpc(server, listening)


async def serve_bus_over_nats(listening: Callable[[str], None], *, url: str) -> None:
    """Answer over the bus and a NATS server."""
    registry = HandlerRegistry()
    registry.register(register_inventory(Answers()))
    async with serve_nats(url, [INVENTORY], registry, grace=0):
        listening(url)
        await asyncio.Event().wait()


async def serve_by_hand(listening: Callable[[str], None], *, ready_made: bool) -> None:
    """Answer with a hand-written servicer."""
    server = grpc.aio.server()
    servicer_by_hand = ServicerByHand(ready_made=ready_made)
    messagebus_pb2_grpc.add_InventoryServicer_to_server(servicer_by_hand, server)
    await serve_grpc(server, listening)


def _in_process(
    *, strict: bool, authenticator: Authenticator = NO_ISSUER
) -> Callable[[BatchGetItemsRequest], Awaitable[BatchGetItemsResponse]]:
    registry = HandlerRegistry(policy=ContractPolicy(authenticator))
    registry.register(register_inventory(Answers()))
    channel = InProcessChannel(registry, strict=strict)
    return InventoryStub(channel.called_by(CALLER)).batch_get_items


def _by_hand(channel: grpc.aio.Channel) -> Callable[[], Awaitable[object]]:
    stub: Any = messagebus_pb2_grpc.InventoryStub(channel)

    async def call() -> object:
        request = messagebus_pb2.BatchGetItemsRequest(skus=REQUEST.skus)
        response = await stub.BatchGetItems(request, timeout=2.0)
        return [
            (item.sku, item.name, item.price.currency_code, item.price.minor_units, item.available)
            for item in response.items
        ]

    return call


def repeated(call: Callable[[], Awaitable[object]]) -> Callable[[int], Awaitable[None]]:
    """Make the call so many times, one after the other."""

    async def run(times: int) -> None:
        for _ in range(times):
            await call()

    return run


def inside_of_a_call(
    call: Callable[[], Awaitable[object]], principal: Principal = ANONYMOUS
) -> Callable[[int], Awaitable[None]]:
    """As from a handler, whose own call has a deadline that is over before.

    Args:
        call: makes the call.
        principal: who asks.
    """

    async def run(times: int) -> None:
        async def handle(_: Record, __: CallContext) -> Record:
            for _number in range(times):
                await call()
            return REQUEST

        method = INVENTORY.methods[0]
        admission = EVERYBODY.admission(method)
        outer = ServerCall(method, handle, Bulkhead("benchmark"), admission)
        await outer(REQUEST, CallContext(monotonic() + 1.5, principal=principal))

    return run


def _concurrently(
    call: Callable[[], Awaitable[object]], concurrent: int
) -> Callable[[int], Awaitable[None]]:
    async def run(times: int) -> None:
        await asyncio.gather(*(one(times // concurrent) for _ in range(concurrent)))

    async def one(times: int) -> None:
        for _ in range(times):
            await call()

    return run
