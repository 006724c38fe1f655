"""What `differences.md` claims to be better here than over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw


async def failure(host: Host, behavior: Any) -> grpc.aio.AioRpcError:
    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await asyncio.wait_for(channel.unary_unary(METHOD)(b""), 5)
    return raised.value


async def test_aborting_with_ok_is_an_error_that_the_client_sees(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.OK)

    error = await failure(local, behavior)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert error.details() == ("Unexpected <class 'AssertionError'>: Expecting non-ok status code.")


async def test_a_handler_that_cancels_itself_ends_its_call(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        raise asyncio.CancelledError

    error = await failure(local, behavior)
    assert error.code() is grpc.StatusCode.CANCELLED
    assert error.details() == "The handler has been cancelled."


async def test_binary_trailing_metadata_of_text_is_an_error_that_the_client_sees(
    local: Host,
) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("data-bin", "text"),))
        return b""

    error = await failure(local, behavior)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert 'Binary metadata key="data-bin" expected bytes' in str(error.details())


async def test_a_handler_that_reads_does_not_take_cancellation_for_the_end(local: Host) -> None:
    seen: list[str] = []

    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        try:
            async for request in requests:
                seen.append(request.decode())  # noqa: PERF401
            seen.append("the end")
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return b""

    call = (await local(raw("stream_unary", behavior))).stream_unary(METHOD)()
    await call.write(b"one")
    await asyncio.sleep(0.01)
    call.cancel()
    await asyncio.sleep(0.01)
    assert seen == ["one", "cancelled"]


@pytest.mark.parametrize("code", [grpc.StatusCode.OK, grpc.StatusCode.ABORTED])
async def test_a_writer_that_waits_when_the_server_ends_leaves_its_status_alone(
    local: Host, code: grpc.StatusCode
) -> None:
    async def behavior(requests: object, context: Any) -> None:
        await asyncio.sleep(0.01)
        context.set_code(code)
        context.set_details("the server's")

    call = (await local(raw("stream_stream", behavior))).stream_stream(METHOD)()

    async def write_on() -> None:
        while True:
            await call.write(b"x" * 10_000)

    expected = asyncio.InvalidStateError if code is grpc.StatusCode.OK else grpc.aio.AioRpcError
    with pytest.raises(expected):
        await write_on()
    assert await call.code() is code


async def test_a_unary_call_with_metadata_that_cannot_be_sent_ends(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return b""

    channel = await local(raw("unary_unary", behavior))
    call = channel.unary_unary(METHOD)(b"", metadata=(("Upper", "v"),))
    with pytest.raises(grpc.aio.AioRpcError, match="Invalid metadata"):
        await call
    assert await call.code() is grpc.StatusCode.INTERNAL


async def test_the_server_sees_that_its_caller_is_in_the_process(local: Host) -> None:
    seen: list[str] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.extend([context.peer(), dict(context.invocation_metadata())["user-agent"]])
        return b""

    await (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    assert seen == ["inproc", f"grpc-python-asyncio/{grpc.__version__} (in process)"]


async def test_a_writer_that_waits_for_a_server_ends_with_its_channel(local: Host) -> None:
    channel = await local(start=False)
    call = channel.stream_unary(METHOD)(wait_for_ready=True)
    writing = asyncio.create_task(call.write(b""))
    connecting = asyncio.create_task(call.wait_for_connection())
    await asyncio.sleep(0.01)
    await channel.close()
    for waiting in (writing, connecting):
        with pytest.raises(asyncio.CancelledError):
            await waiting
