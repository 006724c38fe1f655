"""A call means the same on every transport: one body of tests, run over each of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from conformance.v1.conformance import (
    Colour,
    EchoRequest,
    FailRequest,
    Failure,
    ObserveRequest,
    Payload,
    PayloadChoiceWord,
    Refused,
    RefusedError,
    RelayRequest,
    WaitRequest,
)
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, bind_conformance

from seam.bus import GrpcChannel, InProcessChannel, Interceptor, Invoke, UnaryMethod, servicer
from seam.context import CallContext
from seam.errors import Code, StatusError
from seam.records import Record
from seam.testing.conformance import Conformance, visible

PAYLOAD = Payload(
    text="grüße",
    large=2**62 + 1,
    fraction=0.1,
    data=b"\x00\xff",
    note=None,
    parts=(
        Payload(
            text="",
            large=0,
            fraction=0.0,
            data=b"",
            parts=(),
            counts={},
            colour=Colour(77),
        ),
    ),
    counts={"one": 1},
    at=datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=UTC),
    span=timedelta(seconds=-1, microseconds=5),
    colour=Colour.RED,
    choice=PayloadChoiceWord("yes"),
)


@dataclass
class Wiring:
    """A service and a way to it, with the interceptors that were asked for."""

    stub: ConformanceStub
    handler: Conformance


@dataclass
class Recorder:
    """An interceptor that writes down when a call comes by."""

    name: str
    log: list[str] = field(default_factory=list)

    async def __call__(
        self, method: UnaryMethod[Any, Any], request: Record, call: CallContext, proceed: Invoke
    ) -> Record:
        self.log.append(f"{self.name} before {method.name}")
        try:
            answer: Record = await proceed(request, call)
        finally:
            self.log.append(f"{self.name} after {method.name}")
        return answer


@asynccontextmanager
async def wired(
    transport: str,
    *,
    client: tuple[Interceptor, ...] = (),
    server: tuple[Interceptor, ...] = (),
) -> AsyncIterator[Wiring]:
    handler = Conformance()
    if transport != "grpc":
        channel = InProcessChannel(
            strict=transport == "strict", client_interceptors=client, server_interceptors=server
        )
        channel.bind(bind_conformance(handler))
        handler.itself = ConformanceStub(channel)
        yield Wiring(handler.itself, handler)
        return
    local = InProcessChannel(server_interceptors=server)
    local.bind(bind_conformance(handler))
    running = grpc.aio.server()
    running.add_generic_rpc_handlers([servicer(CONFORMANCE, local.endpoint)])
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as connection:
        handler.itself = ConformanceStub(GrpcChannel(connection, client_interceptors=client))
        yield Wiring(handler.itself, handler)
    await running.stop(grace=None)


@pytest.fixture(params=["by reference", "strict", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def wiring(transport: str) -> AsyncIterator[Wiring]:
    async with wired(transport) as made:
        yield made


async def status_of(call: Any) -> StatusError:
    with pytest.raises(StatusError) as raised:
        await call
    return raised.value


async def test_every_shape_of_value_arrives_as_it_was_sent(wiring: Wiring) -> None:
    answer = await wiring.stub.echo(EchoRequest(payload=PAYLOAD))
    assert answer.payload == PAYLOAD


async def test_a_declared_error_arrives_as_itself_with_its_record(wiring: Wiring) -> None:
    with pytest.raises(RefusedError) as raised:
        await wiring.stub.fail(FailRequest(failure=Failure.DECLARED))
    assert raised.value.record == Refused(reason="it was asked for")
    assert raised.value.code is Code.FAILED_PRECONDITION
    assert raised.value.message == "Refused, because it was asked for."
    assert raised.value.__cause__ is None


async def test_a_plain_status_arrives_with_code_and_message(wiring: Wiring) -> None:
    error = await status_of(wiring.stub.fail(FailRequest(failure=Failure.STATUS)))
    assert type(error) is StatusError
    assert (error.code, error.message) == (Code.RESOURCE_EXHAUSTED, "no more of it")


@pytest.mark.parametrize("failure", [Failure.UNEXPECTED, Failure.UNDECLARED])
async def test_what_the_contract_does_not_declare_stays_inside_and_is_logged_under_an_id(
    wiring: Wiring, failure: Failure, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        error = await status_of(wiring.stub.fail(FailRequest(failure=failure)))
    assert type(error) is StatusError
    assert error.code is Code.INTERNAL
    assert "swordfish" not in error.message
    identifier = error.message.removeprefix("internal error ")
    logged = [record for record in caplog.records if identifier in record.getMessage()]
    assert len(logged) == 1
    assert "conformance.v1.Conformance/Fail" in logged[0].getMessage()
    assert logged[0].exc_info is not None


async def test_the_contract_limits_a_call_that_sets_no_limit(wiring: Wiring) -> None:
    begun = time.monotonic()
    error = await status_of(wiring.stub.wait(WaitRequest(span=timedelta(seconds=30))))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert error.message == "conformance.v1.Conformance/Wait exceeded its deadline"
    assert time.monotonic() - begun < 10


async def test_a_caller_may_set_a_limit_of_its_own(wiring: Wiring) -> None:
    await wiring.stub.wait(WaitRequest(span=timedelta(seconds=0.5)), timeout=20)
    error = await status_of(wiring.stub.wait(WaitRequest(span=timedelta(seconds=30)), timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED


async def test_a_limit_of_zero_ends_the_call_before_it_begins(wiring: Wiring) -> None:
    error = await status_of(wiring.stub.wait(WaitRequest(span=None), timeout=0))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert wiring.handler.waits_begun == 0


async def test_a_handler_is_cancelled_when_its_time_is_over(wiring: Wiring) -> None:
    await status_of(wiring.stub.wait(WaitRequest(span=timedelta(seconds=30)), timeout=0.1))
    await eventually(lambda: wiring.handler.waits_cancelled == 1)


async def test_a_handler_is_cancelled_when_its_caller_is(wiring: Wiring) -> None:
    call = asyncio.ensure_future(
        wiring.stub.wait(WaitRequest(span=timedelta(seconds=30)), timeout=30)
    )
    await eventually(lambda: wiring.handler.waits_begun == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await eventually(lambda: wiring.handler.waits_cancelled == 1)


async def test_a_handler_sees_how_much_time_its_call_has_left(wiring: Wiring) -> None:
    seen = await wiring.stub.observe(ObserveRequest(), timeout=2)
    assert seen.remaining is not None
    assert timedelta(seconds=1) < seen.remaining <= timedelta(seconds=2)


async def test_a_call_inside_a_call_has_no_more_time_than_the_outer_one(wiring: Wiring) -> None:
    begun = time.monotonic()
    long = timedelta(seconds=30)
    error = await status_of(wiring.stub.relay(RelayRequest(span=long, limit=long), timeout=0.2))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < 10
    await eventually(lambda: wiring.handler.waits_cancelled == 1)


async def test_a_call_inside_a_call_may_have_less_time_than_the_outer_one(wiring: Wiring) -> None:
    answer = await wiring.stub.relay(
        RelayRequest(span=timedelta(seconds=30), limit=timedelta(seconds=0.05))
    )
    assert answer.code == Code.DEADLINE_EXCEEDED


async def test_context_variables_stay_on_their_side(wiring: Wiring) -> None:
    visible.set("set by the caller")
    seen = await wiring.stub.observe(ObserveRequest())
    assert seen.context_variable == ""
    assert visible.get() == "set by the caller"


async def test_interceptors_run_in_their_order_on_the_caller_s_side_then_on_the_callee_s(
    transport: str,
) -> None:
    log: list[str] = []
    outer, inner, server = (Recorder(name, log) for name in ("outer", "inner", "server"))
    async with wired(transport, client=(outer, inner), server=(server,)) as wiring:
        await wiring.stub.echo(EchoRequest(payload=None))
    assert log == [
        "outer before Echo",
        "inner before Echo",
        "server before Echo",
        "server after Echo",
        "inner after Echo",
        "outer after Echo",
    ]


async def test_an_interceptor_can_refuse_a_call(transport: str) -> None:
    async def refuse(
        method: UnaryMethod[Any, Any], request: Record, call: CallContext, proceed: Invoke
    ) -> Record:
        raise StatusError(Code.UNAUTHENTICATED, "who are you?")

    for side in ("client", "server"):
        sides: dict[str, Any] = {side: (refuse,)}
        async with wired(transport, **sides) as wiring:
            error = await status_of(wiring.stub.wait(WaitRequest(span=None)))
            assert (error.code, error.message) == (Code.UNAUTHENTICATED, "who are you?")
            assert wiring.handler.waits_begun == 0


async def test_many_calls_at_once_keep_their_answers_apart(wiring: Wiring) -> None:
    async def one(number: int) -> bool:
        payload = Payload(
            text=str(number),
            large=number,
            fraction=0.0,
            data=b"",
            parts=(),
            counts={},
            colour=Colour.UNSPECIFIED,
        )
        answer = await wiring.stub.echo(EchoRequest(payload=payload))
        return answer.payload == payload

    assert all(await asyncio.gather(*(one(number) for number in range(200))))


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
