"""Plain handlers run in threads, so that they may block."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess import LocalChannel, LocalServer
from lib.grpc_inprocess.hosts import METHOD, Host, raw


async def test_a_plain_handler_may_block_and_others_go_on(host: Host) -> None:
    def behavior(request: bytes, context: Any) -> bytes:
        time.sleep(0.2)
        return str(threading.current_thread() is threading.main_thread()).encode()

    channel = await host(raw("unary_unary", behavior))
    begun = time.monotonic()
    assert (
        await asyncio.gather(*(channel.unary_unary(METHOD)(b"") for _ in range(4)))
        == [b"False"] * 4
    )
    assert time.monotonic() - begun < 0.7


async def test_a_plain_handler_uses_its_context(host: Host) -> None:
    def behavior(request: bytes, context: Any) -> bytes:
        context.send_initial_metadata((("begin", "1"),))
        context.set_trailing_metadata((("end", "2"),))
        assert dict(context.invocation_metadata())["mine"] == "yes"
        assert 0 < context.time_remaining() < 5.5
        assert context.peer_identities() is None
        return request

    channel = await host(raw("unary_unary", behavior))
    call = channel.unary_unary(METHOD)(b"x", metadata=(("mine", "yes"),), timeout=5)
    assert await call == b"x"
    assert await call.initial_metadata() == grpc.aio.Metadata(("begin", "1"))
    assert await call.trailing_metadata() == grpc.aio.Metadata(("end", "2"))


async def test_a_plain_handler_aborts_and_fails_like_any_other(host: Host) -> None:
    def behavior(request: bytes, context: Any) -> Any:
        if request:
            raise ValueError("out of paper")
        context.abort(grpc.StatusCode.ABORTED, "enough", (("why", "not"),))

    method = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await method(b"")
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.ABORTED, "enough")
    with pytest.raises(grpc.aio.AioRpcError, match="out of paper"):
        await method(b"x")


async def test_a_plain_generator_streams(host: Host) -> None:
    def behavior(request: bytes, context: Any) -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    channel = await host(raw("unary_stream", behavior))
    assert [each async for each in channel.unary_stream(METHOD)(b"")] == [b"one", b"two"]


async def test_a_plain_handler_iterates_over_requests(host: Host) -> None:
    def join(requests: Iterator[bytes], context: Any) -> bytes:
        return b"".join(requests)

    channel = await host(raw("stream_unary", join))
    assert await channel.stream_unary(METHOD)(iter([b"a", b"b"])) == b"ab"

    def double(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            yield request * 2

    channel = await host(raw("stream_stream", double))
    assert [each async for each in channel.stream_stream(METHOD)(iter([b"a", b"b"]))] == [
        b"aa",
        b"bb",
    ]


async def test_callbacks_of_a_plain_handler_run_at_its_end(host: Host) -> None:
    called = threading.Event()

    def behavior(request: bytes, context: Any) -> bytes:
        context.add_callback(called.set)
        return b""

    channel = await host(raw("unary_unary", behavior))
    await channel.unary_unary(METHOD)(b"")
    await asyncio.sleep(0.01)
    assert called.is_set()


async def test_a_generator_that_aborts_ends_its_stream(local: Host) -> None:
    def behavior(request: bytes, context: Any) -> Iterator[bytes]:
        yield b"one"
        context.abort(grpc.StatusCode.ABORTED, "enough")

    call = (await local(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    assert await call.read() == b"one"
    with pytest.raises(grpc.aio.AioRpcError, match="enough"):
        await call.read()


async def test_a_cancelled_stream_lets_its_thread_go(local: Host) -> None:
    ended = threading.Event()

    def behavior(request: bytes, context: Any) -> Iterator[bytes]:
        try:
            while context.is_active():
                yield b"x" * 100_000
        finally:
            ended.set()

    call = (await local(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    await call.read()
    call.cancel()
    assert await asyncio.to_thread(ended.wait, 5)


async def test_a_plain_handler_may_cancel_its_call(local: Host) -> None:
    def behavior(request: bytes, context: Any) -> bytes:
        assert context.cancel()
        time.sleep(0.05)
        assert not context.is_active()
        return b""

    call = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="CANCELLED"):
        await call


async def test_plain_handlers_run_in_the_pool_that_they_are_given() -> None:
    def behavior(request: bytes, context: Any) -> bytes:
        return threading.current_thread().name.encode()

    with ThreadPoolExecutor(thread_name_prefix="given") as pool:
        server = LocalServer(migration_thread_pool=pool)
        raw("unary_unary", behavior)(server)
        await server.start()
        channel: Any = LocalChannel(server)
        name: bytes = await channel.unary_unary(METHOD)(b"")
        await server.stop(None)
    assert name.startswith(b"given")


async def test_a_plain_function_that_returns_a_list_streams_it_from_a_thread(local: Host) -> None:
    threads = []

    def behavior(request: bytes, context: Any) -> list[bytes]:
        threads.append(threading.current_thread())
        return [b"one", b"two"]

    channel = await local(raw("unary_stream", behavior))
    assert [each async for each in channel.unary_stream(METHOD)(b"")] == [b"one", b"two"]
    assert threads[0] is not threading.main_thread()


async def test_a_plain_handler_has_the_whole_context_of_a_server_of_threads(local: Host) -> None:
    class Exhausted(grpc.Status):
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        details = "no more"
        trailing_metadata = (("left", "0"),)

    def behavior(request: bytes, context: Any) -> None:
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("for now")
        context.set_trailing_metadata((("a", "b"),))
        assert context.code() is grpc.StatusCode.ABORTED
        assert context.details() == "for now"
        assert context.trailing_metadata() == (("a", "b"),)
        assert context.is_active()
        context.abort_with_status(Exhausted())

    call = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="no more"):
        await call
    assert await call.trailing_metadata() == grpc.aio.Metadata(("left", "0"))
