"""Interceptors written for `grpc.aio` run unchanged, on both sides and over both transports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess import LocalChannel, LocalServer
from lib.grpc_inprocess.hosts import METHOD, Host, raw

identity: ContextVar[str] = ContextVar("identity", default="nobody")


class Tags(grpc.aio.ServerInterceptor):
    """Hands what the client says on to the handler, through a context variable."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        sent = dict(handler_call_details.invocation_metadata)
        before = identity.get()
        identity.set(f"{self.tag}-{sent['client'] if before == 'nobody' else before}")
        return await continuation(handler_call_details)


class Refuses(grpc.aio.ServerInterceptor):
    """Puts a handler of its own in place of the service's."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        if ("authorization", "secret") in handler_call_details.invocation_metadata:
            return await continuation(handler_call_details)

        async def refuse(request: Any, context: Any) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

        return grpc.unary_unary_rpc_method_handler(refuse)


async def whoami(request: bytes, context: Any) -> bytes:
    return identity.get().encode()


async def test_server_interceptors_run_outermost_first_in_the_handler_s_context(
    host: Host,
) -> None:
    channel = await host(raw("unary_unary", whoami), interceptors=[Tags("one"), Tags("two")])
    method = channel.unary_unary(METHOD)
    assert await method(b"", metadata=(("client", "7"),)) == b"two-one-7"
    assert await method(b"", metadata=(("client", "8"),)) == b"two-one-8"
    assert identity.get() == "nobody"


async def test_a_server_interceptor_can_answer_in_place_of_the_handler(host: Host) -> None:
    channel = await host(raw("unary_unary", whoami), interceptors=[Refuses()])
    method = channel.unary_unary(METHOD)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await method(b"")
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert await method(b"", metadata=(("authorization", "secret"),)) == b"nobody"


async def test_a_server_interceptor_that_fails_is_unknown(host: Host) -> None:
    channel = await host(raw("unary_unary", whoami), interceptors=[Tags("one")])
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"")
    assert raised.value.code() is grpc.StatusCode.UNKNOWN
    assert raised.value.details() == "Unexpected <class 'KeyError'>: 'client'"


class UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        assert details.method == METHOD.encode()
        details.metadata.add("intercepted", "yes")
        call = await continuation(details, b"<" + request)
        return (await call) + b">"


class UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        call = await continuation(details, request)

        async def shout() -> AsyncIterator[bytes]:
            async for response in call:
                yield response + b"!"

        return shout()


class StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, details: Any, requests: Any) -> Any:
        async def twice() -> AsyncIterator[bytes]:
            async for request in requests:
                yield request
                yield request

        return await continuation(details, twice())


class StreamStream(grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return await continuation(details, requests)


CLIENT = (UnaryUnary(), UnaryStream(), StreamUnary(), StreamStream())


async def test_a_unary_interceptor_changes_request_metadata_and_response(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        assert ("intercepted", "yes") in context.invocation_metadata()
        return request

    channel = await host(raw("unary_unary", behavior), client_interceptors=CLIENT)
    call = channel.unary_unary(METHOD)(b"x")
    assert await call == b"<x>"
    assert await call.code() is grpc.StatusCode.OK


async def test_a_unary_interceptor_may_answer_from_memory(host: Host) -> None:
    class Cache(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            return b"remembered"

    channel = await host(client_interceptors=[Cache()])
    assert await channel.unary_unary(METHOD)(b"") == b"remembered"


async def test_a_unary_interceptor_may_try_again(host: Host) -> None:
    attempts = []

    class Retry(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            while True:
                call = await continuation(details, request)
                if await call.code() is grpc.StatusCode.OK:
                    return call

    async def behavior(request: bytes, context: Any) -> bytes:
        attempts.append(request)
        if len(attempts) < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE)
        return b"at last"

    channel = await host(raw("unary_unary", behavior), client_interceptors=[Retry()])
    assert await channel.unary_unary(METHOD)(b"") == b"at last"
    assert len(attempts) == 3


async def test_errors_pass_through_interceptors(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.ABORTED, "enough")

    channel = await host(raw("unary_unary", behavior), client_interceptors=CLIENT)
    with pytest.raises(grpc.aio.AioRpcError, match="enough"):
        await channel.unary_unary(METHOD)(b"")


async def test_an_interceptor_may_replace_the_stream_of_responses(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    channel = await host(raw("unary_stream", behavior), client_interceptors=CLIENT)
    assert [each async for each in channel.unary_stream(METHOD)(b"")] == [b"one!", b"two!"]


async def test_an_interceptor_may_replace_the_stream_of_requests(host: Host) -> None:
    async def behavior(requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b"".join([each async for each in requests])

    channel = await host(raw("stream_unary", behavior), client_interceptors=CLIENT)
    call = channel.stream_unary(METHOD)()
    await call.write(b"a")
    await call.write(b"b")
    await call.done_writing()
    assert await call == b"aabb"


async def test_an_intercepted_stream_is_read_and_written(host: Host) -> None:
    async def behavior(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request.upper()

    channel = await host(raw("stream_stream", behavior), client_interceptors=CLIENT)
    call = channel.stream_stream(METHOD)()
    for message in (b"a", b"b"):
        await call.write(message)
        assert await call.read() == message.upper()
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_cancelling_an_intercepted_call_cancels_its_handler(host: Host) -> None:
    cancelled = asyncio.Event()

    async def behavior(request: bytes, context: Any) -> bytes:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    channel = await host(raw("unary_unary", behavior), client_interceptors=CLIENT)
    call = channel.unary_unary(METHOD)(b"")
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(cancelled.wait(), 5)


def test_what_is_no_client_interceptor_is_refused() -> None:
    nonsense: Any = object()
    with pytest.raises(ValueError, match="UnaryUnaryClientInterceptor"):
        LocalChannel(LocalServer(), interceptors=[nonsense])
