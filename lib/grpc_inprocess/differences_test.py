"""What `differences.md` lists, unless it names another file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw

CONNECTIVITY = grpc.ChannelConnectivity


async def answer(request: bytes, context: Any) -> bytes:
    return b"answer"


async def two(request: bytes, context: Any) -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


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


@pytest.mark.parametrize("by", ["channel", "call"])
async def test_a_writer_that_waits_for_a_server_ends_with_its_call(local: Host, by: str) -> None:
    channel = await local(start=False)
    call = channel.stream_unary(METHOD)(wait_for_ready=True)
    writing = asyncio.create_task(call.write(b""))
    connecting = asyncio.create_task(call.wait_for_connection())
    await asyncio.sleep(0.01)
    if by == "channel":
        await channel.close()
    else:
        call.cancel()
    for waiting in (writing, connecting):
        with pytest.raises(asyncio.CancelledError):
            await waiting


SURROGATE = "half \ud800"
CANNOT_ENCODE = "'utf-8' codec can't encode character '\\ud800' in position 5"


async def test_a_status_text_with_a_lone_surrogate_is_an_error_that_the_client_sees(
    local: Host,
) -> None:
    async def set_details(request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details(SURROGATE)
        return b""

    async def abort(request: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.ABORTED, SURROGATE)

    for behavior, code in (
        (set_details, grpc.StatusCode.ABORTED),
        (abort, grpc.StatusCode.UNKNOWN),
    ):
        error = await failure(local, behavior)
        assert error.code() is code
        assert CANNOT_ENCODE in str(error.details())


async def test_an_error_s_text_arrives_with_lone_surrogates_escaped(local: Host) -> None:
    class Interceptor(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            raise ValueError(SURROGATE)

    async def behavior(request: bytes, context: Any) -> bytes:
        raise ValueError(SURROGATE)

    error = await failure(local, behavior)
    assert error.details() == "Unexpected <class 'ValueError'>: half \\ud800"
    channel = await local(raw("unary_unary", answer), interceptors=[Interceptor()])
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"")
    assert raised.value.details() == error.details()


async def test_trailing_metadata_with_a_lone_surrogate_is_an_error_that_the_client_sees(
    local: Host,
) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("name", SURROGATE),))
        return b""

    error = await failure(local, behavior)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert CANNOT_ENCODE in str(error.details())
    assert error.trailing_metadata() == grpc.aio.Metadata()


async def test_the_last_of_several_responses_counts_where_one_is_expected(local: Host) -> None:
    async def write(request: bytes, context: Any) -> bytes:
        await context.write(b"one")
        return b"two"

    assert await (await local(raw("unary_unary", write))).unary_unary(METHOD)(b"") == b"two"
    assert await (await local(raw("unary_stream", two))).unary_unary(METHOD)(b"") == b"two"


async def test_two_tasks_may_read_one_stream(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        for message in (b"one", b"two"):
            await asyncio.sleep(0.01)
            yield message

    call = (await local(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    one, other = await asyncio.gather(call.read(), call.read())
    assert [one, other] == [b"one", b"two"]
    assert await call.read() is grpc.aio.EOF


async def test_several_tasks_may_write_into_one_stream(local: Host) -> None:
    async def join(requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b"".join([each async for each in requests])

    call = (await local(raw("stream_unary", join))).stream_unary(METHOD)()
    await asyncio.gather(*(call.write(message) for message in (b"1", b"2", b"3")))
    await call.done_writing()
    assert await call == b"123"


async def test_a_message_that_is_no_bytes_is_named(local: Host) -> None:
    method = (await local(raw("unary_unary", answer))).unary_unary(METHOD)
    with pytest.raises(TypeError, match="Expected bytes, got int"):
        method(5)


async def test_a_client_s_done_callback_that_fails_is_logged(
    local: Host, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise ValueError("the callback")

    call = (await local(raw("unary_unary", answer))).unary_unary(METHOD)(b"")
    call.add_done_callback(fail)
    assert await call == b"answer"
    assert "a done callback of /test.Raw/Method failed" in caplog.text


async def test_metadata_above_the_soft_limit_is_always_refused(local: Host) -> None:
    method = (await local(raw("unary_unary", answer))).unary_unary(METHOD)
    metadata = (("name", "x" * 9 * 1024),)
    for _ in range(20):
        call = method(b"", metadata=metadata)
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call.details() == ("received metadata size exceeds soft limit (9732 vs. 8192)")


async def test_sizes_of_metadata_count_other_headers_too(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("name", "x" * int(request)),))
        return b"answer"

    method = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)
    name = len("name") + 32
    of_request, of_response = 8192 - 464 - len(METHOD) - name, 8192 - 191 - name
    assert await method(b"0", metadata=(("name", "x" * of_request),)) == b"answer"
    assert await method(str(of_response).encode()) == b"answer"
    for call in (
        method(b"0", metadata=(("name", "x" * (of_request + 1)),)),
        method(str(of_response + 1).encode()),
    ):
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_names_that_undo_grpc_itself_are_dropped(local: Host) -> None:
    seen: list[str] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.extend(dict(context.invocation_metadata()))
        context.set_trailing_metadata((("grpc-timeout", "1S"), ("grpc-status", "3")))
        return b"answer"

    call = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(
        b"", metadata=(("grpc-timeout", "1S"), ("grpc-status", "3"))
    )
    assert await call == b"answer"
    assert seen == ["user-agent"]
    assert await call.trailing_metadata() == grpc.aio.Metadata()


async def test_an_algorithm_that_a_server_forbids_is_no_matter(local: Host) -> None:
    only_deflate = [("grpc.compression_enabled_algorithms_bitset", 3)]
    channel = await local(raw("unary_unary", answer), options=only_deflate)
    call = channel.unary_unary(METHOD)(b"", compression=grpc.Compression.Gzip)
    assert await call == b"answer"


async def test_a_stream_is_done_once_its_last_message_is_read(local: Host) -> None:
    call = (await local(raw("unary_stream", two))).unary_stream(METHOD)(b"")
    assert [await call.read(), call.done()] == [b"one", False]
    # The handler answers after its last message, when it is run again.
    await asyncio.sleep(0)
    assert [await call.read(), call.done()] == [b"two", True]


async def test_a_call_that_need_not_wait_is_done_after_one_turn_of_the_event_loop(
    local: Host,
) -> None:
    channel = await local(raw("unary_unary", answer))
    call = channel.unary_unary(METHOD)(b"")
    assert not call.done()
    await asyncio.sleep(0)
    assert call.done()
    assert local.server is not None
    await local.server.stop(None)
    refused = channel.unary_unary(METHOD)(b"")
    assert not refused.done()
    await asyncio.sleep(0)
    assert await refused.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stopped_server_is_not_replaced(local: Host) -> None:
    channel = await local(raw("unary_unary", answer))
    assert local.server is not None
    await local.server.stop(None)
    await local(raw("unary_unary", answer))
    with pytest.raises(grpc.aio.AioRpcError, match="has been stopped"):
        await channel.unary_unary(METHOD)(b"")


async def test_a_channel_is_never_connecting(local: Host) -> None:
    channel = await local(raw("unary_unary", answer))
    states = [channel.get_state(try_to_connect=True), channel.get_state()]
    assert states == [CONNECTIVITY.IDLE, CONNECTIVITY.READY]
    by_a_call = await local(raw("unary_unary", answer))
    call = by_a_call.unary_unary(METHOD)(b"")
    assert by_a_call.get_state() is CONNECTIVITY.READY
    await call


@pytest.mark.parametrize("pair", [("name", 5), ("data-bin", "text"), ("name", SURROGATE)])
async def test_metadata_of_the_wrong_type_is_refused_when_the_call_is_made(
    local: Host, pair: Any
) -> None:
    method = (await local(raw("unary_unary", answer))).unary_unary(METHOD)
    with pytest.raises((TypeError, UnicodeEncodeError)):
        method(b"", metadata=(pair,))
