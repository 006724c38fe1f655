"""How much time a call has, and what ends with it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from conformance.check import check
from conformance.requests import (
    LONG,
    PATIENCE,
    events,
    failure_of,
    new_key,
    noted,
    waiting,
)
from conformance.v1.conformance import (
    ObserveRequest,
    RelayRequest,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.contract.errors import Code


@check
async def the_contract_limits_a_call_that_sets_no_limit(stub: ConformanceStub) -> None:
    begun = time.monotonic()
    error = await failure_of(stub.wait(waiting(LONG)))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert error.message == "conformance.v1.Conformance/Wait exceeded its deadline"
    assert time.monotonic() - begun < PATIENCE


@check
async def a_caller_may_set_a_limit_of_its_own(stub: ConformanceStub) -> None:
    await stub.wait(waiting(timedelta(seconds=0.5)), timeout=20)
    error = await failure_of(stub.wait(waiting(LONG), timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED


@check
async def a_limit_of_zero_ends_a_call_before_it_begins(stub: ConformanceStub) -> None:
    key = new_key()
    error = await failure_of(stub.wait(waiting(timedelta(), key), timeout=0))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert await events(stub, key) == {}


@check
async def a_handler_and_all_it_started_end_with_the_call_s_time(stub: ConformanceStub) -> None:
    key = new_key()
    await failure_of(stub.wait(waiting(LONG, key, in_background=True), timeout=0.1))
    await noted(stub, key, "wait.cancelled")
    await noted(stub, key, "background.cancelled")


@check
async def a_handler_and_all_it_started_end_with_their_caller(stub: ConformanceStub) -> None:
    key = new_key()
    call = asyncio.ensure_future(stub.wait(waiting(LONG, key, in_background=True), timeout=30))
    await noted(stub, key, "wait.begun")
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    await noted(stub, key, "wait.cancelled")
    await noted(stub, key, "background.cancelled")


@check
async def a_handler_sees_how_much_time_its_call_has_left(stub: ConformanceStub) -> None:
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False), timeout=2)
    assert seen.remaining is not None
    # gRPC rounds what is left up, by a few hundredths.
    assert timedelta(seconds=1) < seen.remaining < timedelta(seconds=2.1)


@check
async def a_chain_of_calls_has_no_more_time_than_its_first(stub: ConformanceStub) -> None:
    key, begun = new_key(), time.monotonic()
    request = RelayRequest(span=LONG, limit=LONG, depth=2, key=key)
    error = await failure_of(stub.relay(request, timeout=0.5))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < PATIENCE
    await noted(stub, key, "wait.cancelled")


@check
async def a_call_inside_of_a_call_may_have_less_time(stub: ConformanceStub) -> None:
    request = RelayRequest(span=LONG, limit=timedelta(seconds=0.2), depth=0, key="")
    answer = await stub.relay(request)
    assert answer.code == Code.DEADLINE_EXCEEDED
