"""Cancellation and deadlines reach the other side, and context variables do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw
from lib.grpc_inprocess.streaming_test import eventually

visible: ContextVar[str] = ContextVar("visible", default="nothing")


class Waits:
    """Handlers that wait until they are cancelled, and remember what they saw of it."""

    def __init__(self) -> None:
        self.begun = 0
        self.seen: list[tuple[Any, ...]] = []
        self.callbacks: list[tuple[Any, ...]] = []

    async def unary(self, request: bytes, context: Any) -> bytes:
        await self._wait(context)
        return b""

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        yield b"second"
        await self._wait(context)

    async def _wait(self, context: Any) -> None:
        self.begun += 1
        context.add_done_callback(
            lambda ended: self.callbacks.append((ended is context, ended.code(), ended.done()))
        )
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.seen.append((context.cancelled(), context.done(), context.code()))
            raise


async def test_cancelling_a_call_cancels_its_handler(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_unary", waits.unary))).unary_unary(METHOD)(b"")
    done = []
    call.add_done_callback(lambda ended: done.append((ended is call, ended.cancelled())))
    await eventually(lambda: waits.begun)
    assert not call.done()
    assert call.cancel()
    assert not call.cancel()
    assert (call.done(), call.cancelled()) == (True, True)
    assert done == [(True, True)]
    call.add_done_callback(lambda _: done.append((True, False)))
    assert done[1:] == [(True, False)]
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await call.code() is grpc.StatusCode.CANCELLED
    assert await call.details() == "Locally cancelled by application!"
    assert await call.debug_error_string() is None
    assert await call.trailing_metadata() == grpc.aio.Metadata()
    await eventually(lambda: waits.callbacks)
    assert waits.seen == [(False, False, None)]
    assert waits.callbacks == [(True, None, False)]


async def test_cancelling_who_awaits_a_call_cancels_its_handler(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_unary", waits.unary))).unary_unary(METHOD)(b"")

    async def wait() -> None:
        await call

    task = asyncio.create_task(wait())
    await eventually(lambda: waits.begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.cancelled()
    await eventually(lambda: waits.seen)


async def test_cancelling_a_stream_drops_what_was_not_read(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_stream", waits.stream))).unary_stream(METHOD)(b"")
    assert await call.read() == b"first"
    await eventually(lambda: waits.begun)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    await eventually(lambda: waits.seen)


async def test_giving_up_on_a_read_cancels_the_stream(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_stream", waits.stream))).unary_stream(METHOD)(b"")
    await call.read()
    await call.read()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call.read(), 0.05)
    assert call.cancelled()
    await eventually(lambda: waits.seen)


async def test_cancelling_while_iterating_ends_the_loop_with_cancelled_error(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_stream", waits.stream))).unary_stream(METHOD)(b"")
    responses = aiter(call)
    await anext(responses)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await anext(responses)


async def test_a_call_that_is_cancelled_at_once_ends(host: Host) -> None:
    waits = Waits()
    call = (await host(raw("unary_unary", waits.unary))).unary_unary(METHOD)(b"")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_a_handler_that_sets_cancelled_ends_with_it(host: Host) -> None:
    seen = []

    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.CANCELLED)
        seen.append(context.cancelled())
        return b""

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="CANCELLED"):
        await call
    assert call.cancelled()
    assert seen == [True]


async def test_a_deadline_ends_the_call_and_cancels_the_handler(host: Host) -> None:
    waits = Waits()
    channel = await host(raw("unary_unary", waits.unary))
    begun = time.monotonic()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"", timeout=0.1)
    assert time.monotonic() - begun < 5
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert raised.value.details() == "Deadline Exceeded"
    await eventually(lambda: waits.seen)
    assert waits.seen == [(False, False, None)]


async def test_a_deadline_drops_what_was_not_read(host: Host) -> None:
    waits = Waits()
    channel = await host(raw("unary_stream", waits.stream))
    call = channel.unary_stream(METHOD)(b"", timeout=0.2)
    assert await call.read() == b"first"
    await asyncio.sleep(0.4)
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await call.read()
    assert not call.cancelled()
    await eventually(lambda: waits.seen)


async def test_a_stream_of_requests_has_a_deadline_too(host: Host) -> None:
    cancelled = []

    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        try:
            return b"".join([each async for each in requests])
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    call = (await host(raw("stream_unary", behavior))).stream_unary(METHOD)(timeout=0.1)
    await call.write(b"1")
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await call
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"2")


async def test_both_sides_see_how_much_time_is_left(host: Host) -> None:
    seen: list[float | None] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.append(context.time_remaining())
        return b""

    method = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)
    limited = method(b"", timeout=5)
    assert 4 < limited.time_remaining() <= 5
    await limited
    unlimited = method(b"")
    assert unlimited.time_remaining() is None
    await unlimited
    assert seen[0] is not None
    assert 4 < seen[0] < 5.5
    assert seen[1] is None


async def test_a_handler_that_suppresses_its_cancellation_cannot_answer(host: Host) -> None:
    errors: list[Exception] = []

    async def behavior(_: object, context: Any) -> None:
        await context.write(b"first")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            try:
                await context.write(b"second")
            except Exception as error:
                errors.append(error)
                raise

    call = (await host(raw("stream_stream", behavior))).stream_stream(METHOD)()
    await call.read()
    call.cancel()
    await eventually(lambda: errors)
    assert isinstance(errors[0], grpc.aio.InternalError)


async def test_a_handler_sees_the_variables_of_the_server_s_start_and_not_the_caller_s(
    host: Host,
) -> None:
    seen = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.append(visible.get())
        visible.set("the handler's")
        await asyncio.sleep(0)
        return b""

    visible.set("the server's")
    channel = await host(raw("unary_unary", behavior))
    visible.set("the caller's")
    for _ in range(2):
        await channel.unary_unary(METHOD)(b"")
    assert seen == ["the server's", "the server's"]
    assert visible.get() == "the caller's"


async def test_a_done_callback_runs_with_the_variables_of_its_own_side(host: Host) -> None:
    seen = []

    async def behavior(request: bytes, context: Any) -> bytes:
        visible.set("the handler's")
        return b""

    channel = await host(raw("unary_unary", behavior))
    visible.set("the caller's")
    call = channel.unary_unary(METHOD)(b"")
    call.add_done_callback(lambda _: seen.append(visible.get()))
    await call
    assert "the handler's" not in seen


async def test_a_handler_s_done_callback_that_fails_keeps_those_behind_it_from_being_called(
    host: Host,
) -> None:
    seen = []

    def fail(_: Any) -> None:
        seen.append("fails")
        raise ValueError

    async def behavior(request: bytes, context: Any) -> bytes:
        context.add_done_callback(lambda _: seen.append("before"))
        context.add_done_callback(fail)
        context.add_done_callback(lambda _: seen.append("behind"))
        return b"answer"

    method = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)
    assert await method(b"") == b"answer"
    await eventually(lambda: seen == ["before", "fails"])
    assert await method(b"") == b"answer"
    await eventually(lambda: seen == ["before", "fails"] * 2)


async def test_a_client_s_done_callback_that_fails_keeps_those_behind_it_from_being_called(
    host: Host,
) -> None:
    seen = []

    def fail(_: Any) -> None:
        seen.append("fails")
        raise ValueError

    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"answer"
        await asyncio.sleep(30)

    call = (await host(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    assert await call.read() == b"answer"
    call.add_done_callback(fail)
    call.add_done_callback(lambda _: seen.append("behind"))
    # Whether the error is raised here differs.
    with suppress(ValueError):
        call.cancel()
    assert call.cancelled()
    assert seen == ["fails"]
    with pytest.raises(ValueError):  # noqa: PT011  # the callback's own
        call.add_done_callback(fail)


async def test_the_handler_s_done_callbacks_come_after_its_answer(host: Host) -> None:
    seen = []

    async def behavior(request: bytes, context: Any) -> bytes:
        context.add_done_callback(lambda ended: seen.append((ended is context, ended.done())))
        return b""

    channel = await host(raw("unary_unary", behavior))
    await channel.unary_unary(METHOD)(b"")
    await eventually(lambda: seen == [(True, True)])
