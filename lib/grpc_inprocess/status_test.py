"""Codes, details and errors reach the client in the same words over both transports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw

Behavior = Callable[[Any, Any], Awaitable[Any]]


async def failure(host: Host, behavior: Behavior, **serializers: Any) -> grpc.aio.AioRpcError:
    channel = await host(raw("unary_unary", behavior, **serializers))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"")
    return raised.value


async def test_an_exception_is_unknown_and_says_what_it_was(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        raise ValueError("out of paper")

    with caplog.at_level(logging.CRITICAL):
        error = await failure(host, behavior)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert error.details() == "Unexpected <class 'ValueError'>: out of paper"
    assert error.debug_error_string() == f"UNKNOWN:{error.details()}"
    assert str(error).startswith("<AioRpcError of RPC that terminated with:")


async def test_an_exception_keeps_the_code_and_the_metadata_that_were_set(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("lost to the exception")
        context.set_trailing_metadata((("left", "right"),))
        raise ValueError("out of paper")

    error = await failure(host, behavior)
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == "Unexpected <class 'ValueError'>: out of paper"
    assert error.trailing_metadata() == grpc.aio.Metadata(("left", "right"))


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.NOT_FOUND),
        (5, grpc.StatusCode.NOT_FOUND),
        (99, grpc.StatusCode.UNKNOWN),
        (-1, grpc.StatusCode.UNKNOWN),
        ("NOT_FOUND", grpc.StatusCode.UNKNOWN),
        (None, grpc.StatusCode.UNKNOWN),
    ],
)
async def test_codes_are_enum_members_or_numbers_and_all_else_is_unknown(
    host: Host, given: Any, arrives: grpc.StatusCode
) -> None:
    seen = []

    async def set_code(request: bytes, context: Any) -> bytes:
        context.set_code(given)
        context.set_details("why")
        seen.append((context.code(), context.details()))
        return b"dropped"

    async def abort(request: bytes, context: Any) -> None:
        await context.abort(given, "why")

    for behavior in (set_code, abort):
        error = await failure(host, behavior)
        assert (error.code(), error.details()) == (arrives, "why")
    assert seen == [(given, "why")]


async def test_ok_may_be_set_and_has_no_details(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.OK)
        context.set_details("all is well")
        return b"answer"

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    assert await call == b"answer"
    assert await call.code() is grpc.StatusCode.OK
    assert await call.details() == ""
    assert await call.debug_error_string() == ""


async def test_abort_takes_what_was_set_where_it_is_told_nothing(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        context.set_details("set before")
        context.set_trailing_metadata((("set", "before"),))
        await context.abort(grpc.StatusCode.ABORTED)

    error = await failure(host, behavior)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "set before")
    assert error.trailing_metadata() == grpc.aio.Metadata(("set", "before"))


async def test_abort_supersedes_what_was_set(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        context.set_code(grpc.StatusCode.OUT_OF_RANGE)
        context.set_details("set before")
        context.set_trailing_metadata((("set", "before"),))
        await context.abort(grpc.StatusCode.ABORTED, "grüße 100%\n", (("x-bin", b"\xff\0"),))

    error = await failure(host, behavior)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "grüße 100%\n")
    assert error.trailing_metadata() == grpc.aio.Metadata(("x-bin", b"\xff\0"))


async def test_a_suppressed_abort_stands_and_nothing_can_follow_it(host: Host) -> None:
    errors: list[Exception] = []
    tried = asyncio.Event()

    async def behavior(request: bytes, context: Any) -> bytes:
        for attempt in (
            lambda: context.abort(grpc.StatusCode.ABORTED, "enough"),
            lambda: context.abort(grpc.StatusCode.ABORTED, "again"),
            lambda: context.write(b"more"),
            context.read,
        ):
            try:
                await attempt()
            except Exception as error:
                errors.append(error)
        assert context.done()
        tried.set()
        return b"ignored"

    error = await failure(host, behavior)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "enough")
    async with asyncio.timeout(10):
        await tried.wait()
    assert [type(each) for each in errors] == [
        grpc.aio.AbortError,
        grpc.aio.UsageError,
        grpc.aio.AbortError,
        grpc.aio.AbortError,
    ]
    assert str(errors[0]) == "Locally aborted."


async def test_an_exception_in_place_of_the_abort_does_not_replace_it(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        try:
            await context.abort(grpc.StatusCode.ABORTED, "enough")
        except grpc.aio.AbortError:
            raise RuntimeError("something else") from None

    error = await failure(host, behavior)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "enough")


@pytest.mark.parametrize(
    "arguments",
    [
        {"trailing_metadata": [("x", "y")]},
        {"trailing_metadata": grpc.aio.Metadata(("x", "y"))},
        {"details": 5},
    ],
)
async def test_abort_is_as_strict_about_types_as_grpc(
    host: Host, arguments: dict[str, Any]
) -> None:
    async def behavior(request: bytes, context: Any) -> None:
        await context.abort(grpc.StatusCode.ABORTED, **arguments)

    error = await failure(host, behavior)
    (argument, value) = next(iter(arguments.items()))
    expected = "str" if argument == "details" else "tuple"
    assert error.details() == (
        f"Unexpected <class 'TypeError'>: Argument '{argument}' has incorrect type "
        f"(expected {expected}, got {type(value).__name__})"
    )


async def test_a_method_that_nobody_serves_is_unimplemented(host: Host) -> None:
    channel = await host()
    for call in (
        channel.unary_unary("/test.Raw/Missing")(b""),
        channel.stream_unary("/test.Raw/Missing")(iter([b""])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert raised.value.details() == "Method not found!"
    stream = channel.unary_stream("/test.Raw/Missing")(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="Method not found!"):
        await stream.read()


@pytest.mark.parametrize(("response", "arrives"), [(None, b""), ("text", b"text"), (b"b", b"b")])
async def test_without_a_serializer_bytes_text_and_none_can_be_answered(
    host: Host, response: Any, arrives: bytes
) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        return response

    channel = await host(raw("unary_unary", behavior))
    assert await channel.unary_unary(METHOD)(b"") == arrives


async def test_a_response_that_is_no_message_is_unknown(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        return 5

    error = await failure(host, behavior)
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert error.details() == "Unexpected <class 'TypeError'>: Expected bytes, got int"


def refuse(_: Any) -> Any:
    raise KeyError("no such form")


@pytest.mark.parametrize("side", ["request_deserializer", "response_serializer"])
async def test_a_serializer_that_fails_on_the_server_is_unknown(host: Host, side: str) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        return b""

    error = await failure(host, behavior, **{side: refuse})
    assert error.details() == "Unexpected <class 'KeyError'>: 'no such form'"


async def test_a_serializer_that_fails_on_the_client_sends_an_empty_message(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        return b"got " + request

    channel = await host(raw("unary_unary", behavior))
    assert await channel.unary_unary(METHOD, request_serializer=refuse)(b"lost") == b"got "
    parse = channel.unary_unary(METHOD, response_deserializer=refuse)
    assert await parse(b"lost") is None


async def test_what_a_client_s_serializer_makes_is_bytes_or_nothing(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        return b"got " + request

    channel = await host(raw("unary_unary", behavior))
    assert await channel.unary_unary(METHOD, request_serializer=lambda _: None)(b"") == b"got "
    for made in ("text", 5, bytearray(b"bytes")):
        method = channel.unary_unary(METHOD, request_serializer=lambda _, made=made: made)

        async def call(method: Any = method) -> None:
            await method(b"")

        with pytest.raises(TypeError):
            await call()


async def test_a_stream_without_messages_is_none_to_who_expects_one(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> AsyncIterator[bytes]:
        for _ in range(0):
            yield b""

    channel = await host(raw("unary_stream", behavior))
    assert await channel.unary_unary(METHOD)(b"") is None
    parsed = channel.unary_unary(METHOD, response_deserializer=lambda message: [message])
    assert await parsed(b"") == [None]


async def test_any_serializers_will_do(host: Host) -> None:
    async def behavior(request: list[int], context: Any) -> list[int]:
        return request[::-1]

    serializers: dict[str, Any] = {"request_deserializer": list, "response_serializer": bytes}
    channel = await host(raw("unary_unary", behavior, **serializers))
    call = channel.unary_unary(METHOD, request_serializer=bytes, response_deserializer=list)
    assert await call([1, 2, 3]) == [3, 2, 1]


LARGE = b"x" * (4 * 1024 * 1024)


async def test_messages_up_to_four_mebibytes_pass(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return request

    channel = await host(raw("unary_unary", behavior))
    assert await channel.unary_unary(METHOD)(LARGE) == LARGE


async def test_a_larger_request_is_refused_by_the_server(host: Host) -> None:
    handled = []

    async def behavior(request: bytes, context: Any) -> bytes:
        handled.append(request)
        return b""

    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(LARGE + b"x")
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    size = "SERVER: Received message larger than max (4194305 vs. 4194304)"
    assert size in str(raised.value.details())
    assert not handled


async def test_a_larger_response_is_refused_by_the_client_after_those_before_it(
    host: Host,
) -> None:
    async def one(request: bytes, context: Any) -> bytes:
        return LARGE + b"x"

    error = await failure(host, one)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    size = "CLIENT: Received message larger than max (4194305 vs. 4194304)"
    assert size in str(error.details())

    async def many(request: bytes, context: Any) -> Any:
        yield b"small"
        yield LARGE + b"x"

    call = (await host(raw("unary_stream", many))).unary_stream(METHOD)(b"")
    assert await call.read() == b"small"
    with pytest.raises(grpc.aio.AioRpcError, match="RESOURCE_EXHAUSTED"):
        await call.read()


async def test_sizes_can_be_limited_by_options(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return request * 2

    channel = await host(
        raw("unary_unary", behavior),
        options=[("grpc.max_receive_message_length", 10)],
        client_options=[
            ("grpc.max_receive_message_length", 8),
            ("grpc.max_send_message_length", 12),
        ],
    )
    method = channel.unary_unary(METHOD)
    assert await method(b"1234") == b"12341234"
    for size, words in (
        (5, "CLIENT: Received message larger than max (10 vs. 8)"),
        (11, "SERVER: Received message larger than max (11 vs. 10)"),
        (13, "CLIENT: Sent message larger than max (13 vs. 12)"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await method(b"x" * size)
        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert words in str(raised.value.details())
