"""Interceptors run in one order around every kind of call, on every transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
from msgspec import structs

from conformance.checks.calls import PAYLOAD
from conformance.requests import chunked, collected, download, events, failure_of, new_key
from conformance.v1.conformance import AddRequest, EchoRequest, Payload
from conformance.v1.conformance_bus import ConformanceStub
from conformance.wiring import TRANSPORTS, wired
from seam.bus import Interceptor, Invoke, StreamInvoke
from seam.bus.interceptor import surround, surround_stream
from seam.call.context import CallContext
from seam.contract import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record


@dataclass
class Recorder:
    """Writes down when a call comes by."""

    name: str
    log: list[str]

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        self.log.append(f"{self.name} before {method.name}")
        try:
            return await proceed(request, call)
        finally:
            self.log.append(f"{self.name} after {method.name}")

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        self.log.append(f"{self.name} before {method.name}")
        try:
            async for response in proceed(requests, call):
                yield response
        finally:
            self.log.append(f"{self.name} after {method.name}")


class Refuses:
    """Takes no call on: before it begins, or when its responses are read."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        raise StatusError(Code.UNAUTHENTICATED, "who are you?")

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        if method.name:
            raise StatusError(Code.UNAUTHENTICATED, "who are you?")
        async for response in proceed(requests, call):
            yield response


class RefusesAtOnce(Refuses):
    """Refuses a stream by an exception of `stream` itself, which need not be a generator."""

    def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        raise StatusError(Code.UNAUTHENTICATED, "who are you?")


class Breaks(Refuses):
    """Has a defect."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        raise RuntimeError("the password is swordfish")

    def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        raise RuntimeError("the password is swordfish")


class Doubles:
    """Lets every record of a stream through twice, both ways, and replaces a single response."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        await proceed(request, call)
        return await proceed(EchoRequest(payload=None), call)

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        async def twice() -> AsyncIterator[Record]:
            async for request in requests:
                yield request
                yield request

        async for response in proceed(twice(), call):
            yield response
            yield response


CALLS: dict[str, Callable[[ConformanceStub], Awaitable[object]]] = {
    "Echo": lambda stub: stub.echo(EchoRequest(payload=PAYLOAD)),
    "Download": lambda stub: collected(stub.download(download(3))),
    "Upload": lambda stub: stub.upload(chunked(3)),
    "Converse": lambda stub: collected(stub.converse(chunked(3))),
}
"""A call of each kind."""

Wrapped = Callable[..., Any]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=CALLS)
def name(request: pytest.FixtureRequest) -> str:
    method: str = request.param
    return method


async def test_interceptors_run_in_their_order_on_the_caller_s_side_then_on_the_callee_s(
    transport: str, name: str
) -> None:
    log: list[str] = []
    outer, inner, first, second = (
        Recorder(each, log) for each in ("outer", "inner", "first", "second")
    )
    async with wired(transport, client=(outer, inner), server=(first, second)) as wiring:
        await CALLS[name](wiring.stub)
        async with asyncio.timeout(10):
            while len(log) < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    order = ["outer", "inner", "first", "second"]
    began = [f"{each} before {name}" for each in order]
    ended = [f"{each} after {name}" for each in reversed(order)]
    assert log[:4] == began
    # Over a network, the caller's side may go on before the callee's side has run to its end.
    assert [each for each in log[4:] if "er " in each.replace("after", "")] == ended[2:]
    assert [each for each in log[4:] if each not in ended[2:]] == ended[:2]
    if transport != "gRPC":
        assert log[4:] == ended


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("refusing", [Refuses(), RefusesAtOnce()], ids=["later", "at once"])
async def test_an_interceptor_can_refuse_a_call(
    transport: str, name: str, side: str, refusing: Interceptor
) -> None:
    log: list[str] = []
    sides: dict[str, Any] = {side: (refusing, Recorder("inside", log))}
    async with wired(transport, **sides) as wiring:
        with pytest.raises(StatusError) as raised:
            await CALLS[name](wiring.stub)
    assert (raised.value.code, raised.value.message) == (Code.UNAUTHENTICATED, "who are you?")
    assert log == []


async def test_a_defect_of_an_interceptor_of_the_callee_stays_inside(
    transport: str, name: str
) -> None:
    async with wired(transport, server=(Breaks(),)) as wiring:
        with pytest.raises(StatusError, match=r"internal error [0-9a-f]{32}") as raised:
            await CALLS[name](wiring.stub)
    assert raised.value.code is Code.INTERNAL


async def test_a_defect_of_an_interceptor_of_the_caller_is_the_caller_s_own(
    transport: str, name: str
) -> None:
    async with wired(transport, client=(Breaks(),)) as wiring:
        with pytest.raises(RuntimeError, match="swordfish"):
            await CALLS[name](wiring.stub)


@pytest.mark.parametrize("side", ["client", "server"])
async def test_an_interceptor_can_replace_what_travels(transport: str, side: str) -> None:
    key = new_key()
    sides: dict[str, Any] = {side: (Doubles(),)}
    async with wired(transport, **sides) as wiring:
        assert (await wiring.stub.echo(EchoRequest(payload=PAYLOAD))).payload is None
        answers = await collected(wiring.stub.converse(chunked(2)))
        assert [answer.number for answer in answers] == [0] * 4 + [1] * 4
        assert await events(wiring.direct, key) == {}


async def test_what_is_surrounded_by_nothing_is_itself() -> None:
    async def invoke(request: Record, call: CallContext) -> Record:
        return request

    async def stream(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        async for request in requests:
            yield request

    method: Any = None
    assert surround(invoke, method, ()) is invoke
    assert surround_stream(stream, method, ()) is stream


async def test_an_interceptor_knows_method_and_context_of_the_call(transport: str) -> None:
    seen: list[tuple[str, bool]] = []

    class Looks(Refuses):
        async def unary(
            self,
            method: MethodDescriptor[Any, Any],
            request: Record,
            call: CallContext,
            proceed: Invoke,
        ) -> Record:
            assert isinstance(request, EchoRequest)
            assert isinstance(request.payload, Payload)
            left = call.deadline - asyncio.get_running_loop().time()
            seen.append((method.full_name, 2 < left < 4.5))
            return await proceed(request, call)

    async with wired(transport, client=(Looks(),), server=(Looks(),)) as wiring:
        await wiring.stub.echo(EchoRequest(payload=PAYLOAD), timeout=4)
    assert seen == [("conformance.v1.Conformance/Echo", True)] * 2


class Slow:
    """Takes more time than the call has, or says that it has none."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        await asyncio.sleep(0.1)
        return await proceed(request, call)

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        async for response in proceed(requests, structs.replace(call, deadline=monotonic())):
            yield response


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_call_whose_time_its_interceptors_have_used_up_is_not_made(transport: str) -> None:
    async with wired(transport, client=[Slow()]) as wiring:
        key = new_key()
        for call in (
            wiring.stub.add(AddRequest(key=key), timeout=0.05),
            collected(wiring.stub.download(download(3, key=key))),
        ):
            assert (await failure_of(call)).code is Code.DEADLINE_EXCEEDED
        # What should not happen would have happened by then.
        await asyncio.sleep(0.1)
        assert await events(wiring.direct, key) == {}
