"""What a call in one process costs by its shape: interceptors around it, calls inside of calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from benchmarks.bus import CALLER, DIRECT, REQUEST, Answers, inside_of_a_call, repeated
from benchmarks.measuring import CPU_OF_THIS_THREAD, Result, Way, measure
from seam.bus import HandlerRegistry, InProcessChannel, Interceptor, Invoke, StreamInvoke
from seam.call.context import CallContext
from seam.contract import MethodDescriptor
from seam.contract.records import Record
from services.inventory.records.messagebus import BatchGetItemsRequest, BatchGetItemsResponse
from services.inventory.records.messagebus_bus import InventoryStub, register_inventory

INTERCEPTORS: Final = (0, 1, 2, 4, 8)
DEPTHS: Final = (1, 2, 3, 5)


class Passes:
    """An interceptor that does nothing but be there."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
        /,
    ) -> Record:
        """Proceed."""
        return await proceed(request, call)

    def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
        /,
    ) -> AsyncIterator[Record]:
        """Proceed."""
        return proceed(requests, call)


class Chain(Answers):
    """Asks the next one in a chain, and only the last one answers."""

    def __init__(self, inner: InventoryStub | None) -> None:
        """Ask `inner`, or answer."""
        self._inner = inner

    async def batch_get_items(self, request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        """What the end of the chain answers."""
        if self._inner is None:
            return await super().batch_get_items(request)
        return await self._inner.batch_get_items(request)


async def measure_interceptors(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure a call with more and more interceptors, half of them on each side."""
    direct = Answers().batch_get_items
    ways = [
        Way(DIRECT, repeated(lambda: direct(REQUEST)), 100_000),
        *(_way(intercepted(count), _stub(Answers(), count)) for count in INTERCEPTORS),
    ]
    return await measure(
        ways, baseline=DIRECT, rounds=rounds, progress=progress, clock=CPU_OF_THIS_THREAD
    )


def intercepted(count: int) -> str:
    """What the report calls a call with so many interceptors."""
    return f"{count} interceptors"


async def measure_depth(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure a call that makes a call that makes a call."""
    ways = []
    for depth in DEPTHS:
        stub: InventoryStub | None = None
        for _ in range(depth):
            stub = _stub(Chain(stub), 0)
        assert stub is not None
        ways.append(_way(f"{depth} calls deep", stub))
    return await measure(
        ways, baseline=ways[0].name, rounds=rounds, progress=progress, clock=CPU_OF_THIS_THREAD
    )


def _stub(handler: Answers, interceptors: int) -> InventoryStub:
    sides: list[list[Interceptor]] = [[], []]
    for number in range(interceptors):
        sides[number % 2].append(Passes())
    registry = HandlerRegistry(server_interceptors=sides[1])
    registry.register(register_inventory(handler))
    channel = InProcessChannel(registry, client_interceptors=sides[0])
    return InventoryStub(channel.called_by(CALLER))


def _way(name: str, stub: InventoryStub) -> Way:
    def call() -> Awaitable[object]:
        return stub.batch_get_items(REQUEST)

    return Way(name, inside_of_a_call(call), 5_000)
