"""A handler runs in a task of its own, although its caller's task runs it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
import pytest

from conformance.handler import Conformance
from conformance.requests import chunk, collected, download, failure_of
from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    EchoRequest,
    EchoResponse,
    FailRequest,
    Failure,
    RelayRequest,
    RelayResponse,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import ConformanceStub, register_conformance
from seam.bus import Bulkhead, HandlerRegistry, InProcessChannel, Limits
from seam.bus.handler_task import HandlerTask, settle
from seam.call.context import current_call
from seam.contract.errors import Code

Body = Callable[[], Awaitable[object]]


@pytest.fixture(autouse=True)
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """What asyncio finds wrong: a task that is forgotten while it waits, an unheard exception."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    assert await settle(5) == 0
    gc.collect()
    await asyncio.sleep(0)
    assert found == []


class Does(Conformance):
    """Does in `Wait` and in `Relay` what a test says."""

    def __init__(self, wait: Body, relay: Body | None = None) -> None:
        super().__init__()
        self._wait_body = wait
        self._relay_body = relay

    async def wait(self, request: WaitRequest) -> WaitResponse:
        await self._wait_body()
        return WaitResponse(gave_up=False)

    async def relay(self, request: RelayRequest) -> RelayResponse:
        assert self._relay_body is not None
        await self._relay_body()
        return RelayResponse(code=0)


def stub_of(handler: Conformance, limits: Limits = Limits()) -> ConformanceStub:  # noqa: B008
    registry = HandlerRegistry()
    registry.register(register_conformance(handler), Bulkhead("conformance", limits))
    handler.itself = ConformanceStub(InProcessChannel(registry))
    return handler.itself


def wait(stub: ConformanceStub, timeout: float = 30) -> Awaitable[WaitResponse]:
    return stub.wait(WaitRequest(key="", in_background=False), timeout=timeout)


def relay(stub: ConformanceStub, timeout: float = 30) -> Awaitable[RelayResponse]:
    return stub.relay(RelayRequest(depth=0, key=""), timeout=timeout)


async def tidies_up(seconds: float, done: list[str], name: str = "tidied") -> None:
    """Wait for ever, and take a while to end."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(seconds)
        done.append(name)


async def test_the_current_task_is_the_handler_s_and_afterwards_the_caller_s_again() -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    caller = asyncio.current_task()
    await wait(stub_of(Does(look)))
    assert seen[0] is seen[1] is not caller
    assert isinstance(seen[0], HandlerTask)
    assert seen[0].get_name() == "conformance.v1.Conformance/Wait"
    seen[0].set_name("another")
    assert seen[0].get_name() == "another"
    assert seen[0].done()
    assert not seen[0].cancel()
    assert asyncio.current_task() is caller


async def test_a_time_limit_of_a_handler_that_was_left_never_reaches_its_former_caller() -> None:
    done: list[str] = []

    async def body() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await tidies_up(0.2, done, "within")
        done.append("limit")

    async def limited() -> None:
        # The limit of the handler passes after its caller has left.
        try:
            await body()
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await asyncio.sleep(60)
            done.append("second limit")
            raise

    error = await failure_of(wait(stub_of(Does(limited)), timeout=0.1))
    assert error.code is Code.DEADLINE_EXCEEDED
    await asyncio.sleep(0.6)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert done == ["second limit"]


async def test_a_handler_s_group_that_fails_after_its_caller_has_left_is_no_matter_of_the_caller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails_late() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            raise ValueError("too late") from None

    async def body() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails_late())

    error = await failure_of(wait(stub_of(Does(body)), timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED
    await asyncio.sleep(0.3)
    assert "too late" in caplog.text


async def test_a_call_within_a_call_that_is_left_lets_its_caller_go_too() -> None:
    done: list[str] = []
    handler = Does(lambda: tidies_up(0.3, done))
    stub = stub_of(handler)
    handler._relay_body = lambda: wait(stub)
    begun = time.monotonic()
    error = await failure_of(relay(stub, timeout=0.1))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < 0.25
    assert await settle(5) == 0
    assert done == ["tidied"]


async def test_a_handler_s_own_limit_bounds_a_call_that_it_makes() -> None:
    done: list[str] = []
    took: list[float] = []
    handler = Does(lambda: tidies_up(0.5, done))
    stub = stub_of(handler)

    async def limits() -> None:
        begun = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await wait(stub)
        took.append(time.monotonic() - begun)
        await asyncio.sleep(0.05)

    handler._relay_body = limits
    assert (await relay(stub)).code == 0
    assert took[0] < 0.4
    assert done == []
    assert await settle(5) == 0
    assert done == ["tidied"]


async def test_a_caller_in_a_group_ends_with_its_group_and_not_with_the_handler() -> None:
    done: list[str] = []
    stub = stub_of(Does(lambda: tidies_up(0.5, done)))

    async def fails() -> None:
        await asyncio.sleep(0.05)
        raise KeyError

    async def call_in_a_group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails())
            await wait(stub)

    begun = time.monotonic()
    with pytest.raises(ExceptionGroup):
        await call_in_a_group()
    assert time.monotonic() - begun < 0.4


async def test_a_place_is_kept_until_the_handler_has_let_go() -> None:
    done: list[str] = []
    stub = stub_of(Does(lambda: tidies_up(0.3, done)), Limits(concurrent=1, queued=0))
    await failure_of(wait(stub, timeout=0.05))
    refused = await failure_of(wait(stub, timeout=0.05))
    assert refused.code is Code.RESOURCE_EXHAUSTED
    assert await settle(5) == 0
    assert (await failure_of(wait(stub, timeout=0.05))).code is Code.DEADLINE_EXCEEDED


async def test_a_caller_that_leaves_the_queue_takes_no_place() -> None:
    handler = Does(lambda: asyncio.sleep(0.2))
    stub = stub_of(handler, Limits(concurrent=1, queued=5))
    first = asyncio.ensure_future(wait(stub))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(wait(stub, timeout=0.05)) for _ in range(5)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert {getattr(each, "code", None) for each in outcomes[1:]} == {Code.DEADLINE_EXCEEDED}
    await first
    await wait(stub)


async def test_a_handler_that_never_waits_is_late_all_the_same() -> None:
    async def blocks() -> None:
        time.sleep(0.1)  # noqa: ASYNC251

    error = await failure_of(wait(stub_of(Does(blocks)), timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED


async def test_what_the_handler_starts_sees_its_call_and_may_cancel_it() -> None:
    async def body() -> None:
        task = asyncio.current_task()
        assert task is not None

        async def cancel() -> None:
            assert current_call.get() is not None
            task.cancel()

        helper = asyncio.create_task(cancel())
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        task.uncancel()
        await helper

    await wait(stub_of(Does(body)))


async def test_scopes_of_anyio_work_within_a_handler() -> None:
    reached: list[str] = []

    async def body() -> None:
        with anyio.move_on_after(0.05) as scope:
            await anyio.sleep(60)
        assert scope.cancelled_caught
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 0.01)
            reached.append(await anyio.to_thread.run_sync(lambda: "thread"))
        with anyio.fail_after(5):
            await anyio.sleep(0.001)
        reached.append("end")

    await wait(stub_of(Does(body)))
    assert reached == ["thread", "end"]


async def test_a_call_whose_coroutine_is_closed_closes_the_handler() -> None:
    closed: list[str] = []

    async def body() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            closed.append("closed")

    stub = stub_of(Does(body), Limits(concurrent=1, queued=0))
    call: Any = wait(stub)
    call.send(None)
    call.close()
    assert closed == ["closed"]
    error = await failure_of(wait(stub, timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED, "its place is free again"


async def test_a_handler_that_waits_for_itself_is_told_so_and_runs_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[str] = []

    async def body() -> None:
        runs.append("run")
        task = asyncio.current_task()
        assert task is not None
        await task

    assert (await failure_of(wait(stub_of(Does(body))))).code is Code.INTERNAL
    assert "cannot wait for itself" in caplog.text
    assert runs == ["run"]


async def test_an_interceptor_that_awaits_a_call_twice_runs_its_handler_once() -> None:
    runs: list[str] = []

    class Twice:
        async def unary(self, _: Any, request: Any, call: Any, proceed: Any, /) -> Any:
            answer = proceed(request, call)
            await answer
            return await answer

        def stream(self, _: Any, requests: Any, call: Any, proceed: Any, /) -> Any:
            return proceed(requests, call)

    class Counts(Conformance):
        async def echo(self, request: EchoRequest) -> EchoResponse:
            runs.append("run")
            return EchoResponse()

    registry = HandlerRegistry()
    registry.register(register_conformance(Counts()))
    stub = ConformanceStub(InProcessChannel(registry, client_interceptors=[Twice()]))
    with pytest.raises(RuntimeError, match="answered once"):
        await stub.echo(EchoRequest())
    assert runs == ["run"]


async def test_who_asks_is_told_when_a_handler_has_ended() -> None:
    told: list[Any] = []

    async def ends_at_once() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(told.append)
        task.add_done_callback(other.append)
        assert task.remove_done_callback(other.append) == 1

    async def waits() -> None:
        await ends_at_once()
        await asyncio.sleep(0.01)
        assert told == []

    async def fails() -> None:
        await waits()
        raise KeyError

    async def is_left() -> None:
        await ends_at_once()
        await tidies_up(0.1, [])

    other: list[Any] = []
    for body, timeout in ((ends_at_once, 30.0), (waits, 30.0), (fails, 30.0), (is_left, 0.05)):
        told.clear()
        await asyncio.gather(wait(stub_of(Does(body)), timeout=timeout), return_exceptions=True)
        await settle(5)
        await asyncio.sleep(0.01)
        assert [task.done() for task in told] == [True], body
    assert other == []


def test_threads_of_anyio_work_within_a_handler_of_a_loop_that_runs_for_ever() -> None:
    # There anyio ties its threads to the end of the current task.
    reached: list[str] = []

    async def body() -> None:
        reached.append(await anyio.to_thread.run_sync(lambda: "thread"))

    async def call() -> None:
        try:
            await wait(stub_of(Does(body)))
        finally:
            loop.stop()

    loop = asyncio.new_event_loop()
    calling = loop.create_task(call())
    loop.run_forever()
    loop.run_until_complete(calling)
    loop.close()
    assert reached == ["thread"]


async def test_a_handler_that_cannot_be_called_is_a_defect_and_keeps_no_place() -> None:
    async def wait_for_nothing() -> None: ...

    handler = Conformance()
    handler.wait = wait_for_nothing  # type: ignore[method-assign,assignment]
    stub = stub_of(handler, Limits(concurrent=1, queued=0))
    for _ in range(3):
        assert (await failure_of(wait(stub))).code is Code.INTERNAL


async def test_a_call_that_is_closed_gives_its_place_back_wherever_it_waits() -> None:
    async def ignores() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)

    stub = stub_of(Does(ignores), Limits(concurrent=1, queued=1))
    answered: Any = wait(stub)
    answered.send(None)
    queued: Any = wait(stub)
    queued.send(None)
    queued.close()
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        answered.close()
    error = await failure_of(wait(stub, timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED, "its place is free again"


async def test_a_handler_of_a_stream_is_waited_for_however_its_caller_has_left() -> None:
    done: list[str] = []

    class Sends(Conformance):
        async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
            yield chunk(0)
            await tidies_up(0.2, done)

    async def read(limit: float) -> None:
        await collected(stub.download(download(1), timeout=limit))

    stub = stub_of(Sends())
    for limit in (0.05, 30.0):
        reading = asyncio.create_task(read(limit))
        await asyncio.sleep(0.1)
        reading.cancel()
        await asyncio.wait([reading])
        assert await settle(5) == 0
    assert done == ["tidied", "tidied"]


async def test_a_time_limit_around_what_a_handler_sends_is_the_handler_s() -> None:
    ended: list[str] = []

    class Sends(Conformance):
        async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    for number in range(1000):
                        yield chunk(number)
                        await asyncio.sleep(0)
            ended.append("limit")
            yield chunk(-1)

    async with stub_of(Sends()).download(download(1)) as chunks:
        # The handler stands at a `yield` when its limit passes, because nobody reads.
        await asyncio.sleep(0.1)
        numbers = [each.number async for each in chunks]
    assert numbers[-1] == -1
    assert ended == ["limit"]


def test_a_stub_that_moves_to_another_event_loop_says_so() -> None:
    stub = stub_of(Conformance())
    outcome: list[BaseException | EchoResponse] = []

    async def call() -> EchoResponse:
        return await stub.echo(EchoRequest())

    def elsewhere() -> None:
        try:
            outcome.append(asyncio.run(call()))
        except RuntimeError as error:
            outcome.append(error)

    async def main() -> None:
        await call()
        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)

    asyncio.run(main())
    assert "another event loop" in str(outcome[0])
    # A loop that is closed is nobody's home any more.
    assert asyncio.run(call()).payload is None


def test_a_stream_without_an_event_loop_is_refused_and_leaves_nothing(
    recwarn: pytest.WarningsRecorder,
) -> None:
    stub = stub_of(Conformance())
    with pytest.raises(RuntimeError, match="no running event loop"):
        stub.download(download(1))
    gc.collect()
    assert [str(each.message) for each in recwarn] == []


async def test_a_deadline_of_many_nested_calls_is_kept_by_the_outermost() -> None:
    handler = Conformance()
    stub = stub_of(handler)
    request = RelayRequest(span=timedelta(seconds=60), limit=None, depth=20, key="")
    begun = time.monotonic()
    error = await failure_of(stub.relay(request, timeout=0.1))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < 1


async def test_the_log_says_that_an_error_is_not_declared(caplog: pytest.LogCaptureFixture) -> None:
    error = await failure_of(stub_of(Conformance()).fail(FailRequest(failure=Failure.UNDECLARED)))
    assert error.code is Code.INTERNAL
    expected = "v1.Undeclared is not among the errors that conformance.v1.Conformance/Fail declares"
    assert expected in caplog.text
