"""Streams keep their order, slow writers down, and end early from either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw
from lib.grpc_inprocess.stream import WINDOW


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def echo(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


async def test_two_thousand_messages_arrive_in_order(host: Host) -> None:
    channel = await host(raw("stream_stream", echo))
    sent = [str(number).encode() for number in range(2_000)]
    assert [each async for each in channel.stream_stream(METHOD)(iter(sent))] == sent


async def test_a_client_may_write_some_hundred_messages_before_it_reads(host: Host) -> None:
    channel = await host(raw("stream_stream", echo))
    call = channel.stream_stream(METHOD)()
    sent = [str(number).encode() for number in range(500)]
    for message in sent:
        await call.write(message)
    await call.done_writing()
    assert [each async for each in call] == sent


async def test_empty_messages_are_messages(host: Host) -> None:
    channel = await host(raw("stream_stream", echo))
    assert [each async for each in channel.stream_stream(METHOD)(iter([b"", b""]))] == [b"", b""]


async def test_a_slow_reader_stops_a_fast_server(host: Host) -> None:
    written = 0

    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        nonlocal written
        while True:
            yield b"x" * 100_000
            written += 1

    call = (await host(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    await call.read()
    await asyncio.sleep(0.3)
    stopped_at = written
    await asyncio.sleep(0.1)
    assert written == stopped_at
    # Real sockets buffer tens of megabytes more than HTTP/2's window, as the kernel sees fit.
    assert stopped_at < 1_000
    for _ in range(stopped_at + 1):
        await call.read()
    await eventually(lambda: written > stopped_at)
    call.cancel()


async def test_a_slow_server_stops_a_fast_client(host: Host) -> None:
    go_on = asyncio.Event()

    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        await go_on.wait()
        return str(len([each async for each in requests])).encode()

    taken = 0

    def messages() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(300):
            taken += 1
            yield b"x" * 100_000

    call = (await host(raw("stream_unary", behavior))).stream_unary(METHOD)(messages())
    await asyncio.sleep(0.3)
    assert taken < 200
    go_on.set()
    assert await call == b"300"


async def test_within_the_process_the_window_is_that_of_http2(local: Host) -> None:
    written = 0

    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        nonlocal written
        while True:
            yield b"x" * 995
            written += 1

    call = (await local(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    await asyncio.sleep(0.05)
    assert written == -(-WINDOW // 1000)
    call.cancel()


async def test_a_server_may_answer_before_it_has_read_everything(host: Host) -> None:
    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        async for request in requests:
            return request
        return b""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"first"

    channel = await host(raw("stream_unary", behavior))
    assert await channel.stream_unary(METHOD)(endless()) == b"first"


async def test_a_server_may_end_a_stream_that_the_client_still_writes(host: Host) -> None:
    async def behavior(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        yield b"that is all"

    call = (await host(raw("stream_stream", behavior))).stream_stream(METHOD)()
    assert await call.read() == b"that is all"
    assert await call.read() is grpc.aio.EOF
    assert await call.read() is grpc.aio.EOF
    assert call.done()
    with pytest.raises(asyncio.InvalidStateError, match="RPC already finished"):
        await call.write(b"too late")
    await call.done_writing()


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_writer_that_waits_hears_that_the_server_has_aborted(host: Host, kind: str) -> None:
    async def abort(requests: object, context: Any) -> bytes:
        await asyncio.sleep(0.1)
        await context.abort(grpc.StatusCode.ABORTED, "enough")
        return b""

    call = getattr(await host(raw(kind, abort)), kind)(METHOD)()

    async def write_on() -> None:
        while True:
            await call.write(b"x" * 10_000)

    with pytest.raises((grpc.aio.AioRpcError, asyncio.InvalidStateError)):
        await asyncio.wait_for(write_on(), 5)
    assert call.done()


async def test_messages_before_an_abort_are_read_before_it_is_seen(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"
        await context.abort(grpc.StatusCode.ABORTED, "enough", (("why", "not"),))

    call = (await host(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    await asyncio.sleep(0.1)
    assert not call.done()
    code = asyncio.create_task(call.code())
    await asyncio.sleep(0.05)
    assert not code.done()
    read = aiter(call)
    assert [await anext(read), await anext(read)] == [b"one", b"two"]
    with pytest.raises(grpc.aio.AioRpcError, match="enough"):
        await anext(read)
    assert await code is grpc.StatusCode.ABORTED
    assert await call.trailing_metadata() == grpc.aio.Metadata(("why", "not"))
    with pytest.raises(grpc.aio.AioRpcError, match="enough"):
        await call.read()


async def test_an_exception_in_the_middle_of_a_stream_follows_its_messages(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("out of paper")

    call = (await host(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    assert await call.read() == b"one"
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.details() == "Unexpected <class 'ValueError'>: out of paper"


async def test_a_handler_reads_eof_again_and_again(host: Host) -> None:
    read: list[Any] = []

    async def behavior(_: object, context: Any) -> None:
        read.extend([await context.read(), await context.read(), await context.read()])
        await context.write(b"answer")

    channel = await host(raw("stream_stream", behavior))
    assert [each async for each in channel.stream_stream(METHOD)(iter([b"1"]))] == [b"answer"]
    assert read == [b"1", grpc.aio.EOF, grpc.aio.EOF]


async def test_a_handler_may_iterate_in_pieces(host: Host) -> None:
    async def behavior(requests: Any, context: Any) -> bytes:
        first = await anext(aiter(requests))
        second = await anext(requests)
        return b"-".join([first, second, *[each async for each in requests]])

    channel = await host(raw("stream_unary", behavior))
    assert await channel.stream_unary(METHOD)(iter([b"1", b"2", b"3", b"4"])) == b"1-2-3-4"


async def test_the_two_styles_of_reading_do_not_mix(host: Host) -> None:
    channel = await host(raw("stream_stream", echo))
    call = channel.stream_stream(METHOD)()
    await call.write(b"1")
    await call.read()
    with pytest.raises(grpc.aio.UsageError, match="may not be mixed"):
        aiter(call)
    iterated = channel.stream_stream(METHOD)(iter([b"1", b"2"]))
    async for _ in iterated:
        with pytest.raises(grpc.aio.UsageError, match="may not be mixed"):
            await iterated.read()
        break
    for writing in (iterated.write(b""), iterated.done_writing()):
        with pytest.raises(grpc.aio.UsageError, match="may not be mixed"):
            await writing
    call.cancel()
    iterated.cancel()


async def test_nothing_is_written_after_done_writing(host: Host) -> None:
    channel = await host(raw("stream_stream", echo))
    call = channel.stream_stream(METHOD)()
    await call.done_writing()
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError, match="half closed"):
        await call.write(b"")
    assert await call.read() is grpc.aio.EOF


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_an_iterator_that_fails_cancels_its_call(host: Host, asynchronous: bool) -> None:
    got = []

    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        async for request in requests:
            got.append(request)  # noqa: PERF401
        return b""

    def plain() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("the iterator")

    async def generator() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(0.05)
        raise ValueError("the iterator")

    channel = await host(raw("stream_unary", behavior))
    call = channel.stream_unary(METHOD)(generator() if asynchronous else plain())
    with pytest.raises(asyncio.CancelledError):
        await call
    assert call.cancelled()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_a_unary_call_can_be_awaited_more_than_once(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return b"answer"

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    assert [await call, await call] == [b"answer", b"answer"]
    assert (call.done(), call.cancelled(), call.cancel()) == (True, False, False)
    await call.wait_for_connection()


async def test_a_call_runs_though_nobody_awaits_it(host: Host) -> None:
    handled = []

    async def behavior(request: bytes, context: Any) -> bytes:
        handled.append(request)
        return b""

    channel = await host(raw("unary_unary", behavior))
    channel.unary_unary(METHOD)(b"fire and forget")
    await eventually(lambda: handled == [b"fire and forget"])


async def test_waiting_for_the_connection_ends_when_the_response_begins(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.05)
        yield b"one"

    channel = await host(raw("unary_stream", behavior))
    call = channel.unary_stream(METHOD)(b"")
    await call.wait_for_connection()
    assert await call.read() == b"one"
    missing = channel.unary_stream("/test.Raw/Missing")(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
        await missing.wait_for_connection()
