"""How much time a call has, and what ends with it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Final

import anyio

from conformance.check import check
from conformance.requests import (
    LONG,
    PATIENCE,
    broken_off,
    collected,
    download,
    events,
    failure_of,
    new_key,
    noted,
    waiting,
)
from conformance.v1.conformance import (
    ObserveRequest,
    RelayRequest,
    WaitRequest,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.contract.errors import Code, InvalidField, StatusError

SLOW: Final = timedelta(seconds=1.2)
"""How long a handler tidies up that does not let go at once."""

SOON: Final = 0.8
"""Seconds in which a caller must be back all the same."""


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
    for limit in (0, -1):
        for call in (
            stub.wait(waiting(timedelta(), key), timeout=limit),
            collected(stub.download(download(3, key=key), timeout=limit)),
            stub.upload(broken_off(timedelta(), key=key), timeout=limit),
        ):
            assert (await failure_of(call)).code is Code.DEADLINE_EXCEEDED
    # What should not happen would have happened by then.
    await asyncio.sleep(0.1)
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


@check
async def a_caller_is_back_in_time_from_a_handler_that_does_not_let_go(
    stub: ConformanceStub,
) -> None:
    async def call(*, ignore: bool) -> None:
        key, begun = new_key(), time.monotonic()
        request = WaitRequest(span=LONG, key=key, in_background=False, tidy=SLOW, ignore=ignore)
        error = await failure_of(stub.wait(request, timeout=0.2))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - begun < SOON
        await noted(stub, key, "wait.tidied")

    await asyncio.gather(call(ignore=False), call(ignore=True))


@check
async def a_cancelled_caller_is_back_at_once_from_a_handler_that_does_not_let_go(
    stub: ConformanceStub,
) -> None:
    async def cancel(*, ignore: bool) -> None:
        key = new_key()
        request = WaitRequest(span=LONG, key=key, in_background=False, tidy=SLOW, ignore=ignore)
        call = asyncio.ensure_future(stub.wait(request, timeout=30))
        await noted(stub, key, "wait.begun")
        begun = time.monotonic()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert time.monotonic() - begun < SOON
        await noted(stub, key, "wait.tidied")

    await asyncio.gather(cancel(ignore=False), cancel(ignore=True))


@check
async def a_caller_that_is_cancelled_before_it_waits_is_cancelled(stub: ConformanceStub) -> None:
    outcomes: list[object] = []

    async def call(key: str) -> None:
        itself = asyncio.current_task()
        assert itself is not None
        itself.cancel()
        try:
            outcomes.append(await stub.wait(waiting(LONG, key), timeout=20))
        except StatusError as error:
            outcomes.append(error)

    async def read() -> None:
        itself = asyncio.current_task()
        assert itself is not None
        itself.cancel()
        try:
            outcomes.append(await collected(stub.download(download(3, pause=LONG))))
        except StatusError as error:
            outcomes.append(error)

    key = new_key()
    callers = [asyncio.create_task(call(key)), asyncio.create_task(read())]
    await asyncio.wait(callers)
    assert [caller.cancelled() for caller in callers] == [True, True], outcomes


@check
async def calls_of_a_handler_that_tidies_up_have_a_limit_too(stub: ConformanceStub) -> None:
    key = new_key()
    request = RelayRequest(span=LONG, limit=LONG, depth=0, key=key, when_cancelled=True)
    call = asyncio.ensure_future(stub.relay(request, timeout=1))
    await noted(stub, key, "relay.begun")
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    await noted(stub, key, "relay.DEADLINE_EXCEEDED")


@check
async def a_handler_s_own_time_limit_is_none_of_its_caller_s(stub: ConformanceStub) -> None:
    for tidy in (timedelta(), timedelta(seconds=0.3)):
        request = WaitRequest(
            span=LONG,
            key="",
            in_background=False,
            tidy=tidy,
            patience=timedelta(seconds=0.05),
        )
        async with asyncio.timeout(PATIENCE):
            assert (await stub.wait(request, timeout=20)).gave_up


@check
async def a_caller_s_own_time_limit_bounds_it(stub: ConformanceStub) -> None:
    request = WaitRequest(span=LONG, key="", in_background=False, tidy=SLOW)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(0.2):
            await stub.wait(request, timeout=30)
    except TimeoutError:
        assert time.monotonic() - begun < SOON
    else:
        raise AssertionError("the call outlasted its caller")
    await asyncio.sleep(0)


@check
async def a_scope_of_a_library_bounds_its_calls(stub: ConformanceStub) -> None:
    for call in (
        lambda: stub.wait(waiting(LONG), timeout=30),
        lambda: collected(stub.download(download(5, pause=LONG), timeout=30)),
        lambda: stub.upload(broken_off(LONG, key=""), timeout=30),
    ):
        # It knows its own cancellations by what they say.
        with anyio.move_on_after(0.1) as scope:
            await call()
        assert scope.cancelled_caught


@check
async def a_caller_that_leaves_a_stream_does_not_wait_for_its_handler(
    stub: ConformanceStub,
) -> None:
    key, begun = new_key(), time.monotonic()
    chunks = stub.download(download(1_000_000, key=key, tidy=SLOW), timeout=30)
    await anext(chunks)
    await chunks.aclose()
    assert time.monotonic() - begun < SOON
    await noted(stub, key, "download.ended")

    key, begun = new_key(), time.monotonic()
    request = download(5, key=key, tidy=SLOW, pause=LONG)
    error = await failure_of(collected(stub.download(request, timeout=0.2)))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < SOON

    key, begun = new_key(), time.monotonic()
    error = await failure_of(stub.upload(broken_off(LONG, key=key, tidy=SLOW), timeout=0.2))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < SOON
    await noted(stub, key, "upload.ended")


@check
async def a_limit_that_nobody_can_keep_is_refused(stub: ConformanceStub) -> None:
    for limit in (float("inf"), float("nan"), float("-inf"), 1e10):
        for call in (
            lambda limit=limit: stub.wait(waiting(timedelta()), timeout=limit),
            lambda limit=limit: collected(stub.download(download(1), timeout=limit)),
        ):
            try:
                await call()
            except InvalidField as error:
                assert error.path == "timeout"
            else:
                raise AssertionError(f"a limit of {limit} was accepted")


@check
async def a_limit_below_zero_is_over_at_once(stub: ConformanceStub) -> None:
    for call in (
        stub.wait(waiting(timedelta()), timeout=-1),
        collected(stub.download(download(1), timeout=-1)),
    ):
        assert (await failure_of(call)).code is Code.DEADLINE_EXCEEDED
