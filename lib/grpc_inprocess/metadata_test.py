"""Metadata crosses in both directions, under the same rules over both transports."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw


async def seen_by_server(host: Host, metadata: Any) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.extend((each.key, each.value) for each in context.invocation_metadata())
        return b""

    channel = await host(raw("unary_unary", behavior))
    await channel.unary_unary(METHOD)(b"", metadata=metadata)
    return [pair for pair in seen if pair[0] != "user-agent"]


@pytest.mark.parametrize("make", [tuple, list, lambda pairs: grpc.aio.Metadata(*pairs)])
async def test_the_server_sees_names_in_their_order_with_all_their_values(
    host: Host, make: Any
) -> None:
    pairs = (("k", "first"), ("data-bin", b"\0\xff"), ("k", " second "), ("bytes", b"as text"))
    assert await seen_by_server(host, make(pairs)) == [
        ("k", "first"),
        ("k", " second "),
        ("data-bin", b"\0\xff"),
        ("bytes", "as text"),
    ]


async def test_the_server_sees_a_user_agent_and_nothing_else_that_was_not_sent(
    host: Host,
) -> None:
    seen: dict[str, Any] = {}

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.update(context.invocation_metadata())
        return b""

    channel = await host(raw("unary_unary", behavior))
    await channel.unary_unary(METHOD)(b"", compression=grpc.Compression.Gzip)
    assert list(seen) == ["user-agent"]
    assert seen["user-agent"].startswith(f"grpc-python-asyncio/{grpc.__version__} ")


PROTOCOL = [
    ("content-type", "mine"),
    ("endpoint-load-metrics-bin", b"mine"),
    ("grpc-accept-encoding", "mine"),
    ("grpc-encoding", "mine"),
    ("grpc-internal-encoding-request", "gzip"),
    ("grpc-message", "mine"),
    ("grpc-server-stats-bin", b"mine"),
    ("grpc-status", "3"),
    ("grpc-tags-bin", b"mine"),
    ("grpc-trace-bin", b"mine"),
    ("lb-cost-bin", b"mine"),
    ("te", "mine"),
    ("x-envoy-peer-metadata", "mine"),
]
MINE: list[tuple[str, str | bytes]] = [
    ("authorization", "mine"),
    ("connection", "close"),
    ("cookie", "a=b; c=d"),
    ("grpc-custom", "mine"),
    ("grpc-status-details-bin", b"mine"),
    ("host", "mine"),
    ("lb-token", "mine"),
]


async def test_names_of_the_protocol_are_kept_from_the_server(host: Host) -> None:
    dropped = [*PROTOCOL, ("user-agent", "mine"), ("grpc-previous-rpc-attempts", "3")]
    assert sorted(await seen_by_server(host, dropped + MINE)) == MINE


async def test_names_of_the_protocol_are_kept_from_the_client(host: Host) -> None:
    arriving = [*MINE, ("user-agent", "mine")]

    async def behavior(request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata(PROTOCOL + arriving)
        context.set_trailing_metadata(PROTOCOL + arriving)
        return b""

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    assert sorted(await call.initial_metadata()) == arriving
    assert sorted(await call.trailing_metadata()) == arriving


async def test_names_may_be_bytes_and_none_is_an_empty_value(host: Host) -> None:
    seen = await seen_by_server(host, [(b"name", "v"), ("none", None), ("empty", "")])
    assert seen == [("name", "v"), ("none", ""), ("empty", "")]


UNSENDABLE = [
    ("Upper", "v"),
    ("a b", "v"),
    ("a~", "v"),
    ("a\n", "v"),
    ("", "v"),
    ("ü", "v"),
    (":authority", "v"),
    (":path", "/v"),
    ("k", "ü"),
    ("k", b"\xff"),
    ("k", "\0"),
    ("k", "\n"),
    ("k", "a\rb"),
    ("k", "\t"),
    ("k", "\x7f"),
]


@pytest.mark.parametrize("pair", UNSENDABLE)
async def test_a_stream_with_metadata_that_cannot_be_sent_fails(
    host: Host, pair: tuple[str, str]
) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        yield b""

    channel = await host(raw("unary_stream", behavior))
    call = channel.unary_stream(METHOD)(b"", metadata=(pair,))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert raised.value.details() == "Invalid metadata"


@pytest.mark.parametrize("pair", [("k", "\ud800"), ("\ud800", "v")])
async def test_a_lone_surrogate_in_metadata_is_an_encoding_error(
    host: Host, pair: tuple[str, str]
) -> None:
    errors: list[Exception] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        try:
            await context.send_initial_metadata((pair,))
        except UnicodeEncodeError as error:
            errors.append(error)
            raise
        return b""

    method = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)

    async def call() -> None:
        await method(b"", metadata=(pair,))

    with pytest.raises(UnicodeEncodeError):
        await call()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await method(b"")
    assert raised.value.code() is grpc.StatusCode.UNKNOWN
    assert raised.value.details() == f"Unexpected <class 'UnicodeEncodeError'>: {errors[0]}"


@pytest.mark.parametrize("pair", [("k-bin", "text"), ("k", 5), (5, "v")])
async def test_metadata_of_the_wrong_type_is_a_type_error(host: Host, pair: Any) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return b""

    channel = await host(raw("unary_unary", behavior))

    async def call() -> None:
        await channel.unary_unary(METHOD)(b"", metadata=(pair,))

    with pytest.raises(TypeError):
        await call()


async def test_the_client_sees_initial_metadata_before_the_first_response(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        await context.send_initial_metadata((("a", "1"), ("b-bin", b"\0"), ("a", "2")))
        await context.read()
        yield b"only then"

    channel = await host(raw("stream_stream", behavior))
    call = channel.stream_stream(METHOD)()
    expected = grpc.aio.Metadata(("a", "1"), ("b-bin", b"\0"), ("a", "2"))
    assert await call.initial_metadata() == expected
    await call.write(b"go on")
    assert await call.read() == b"only then"
    call.cancel()


async def test_the_client_sees_initial_and_trailing_metadata_of_a_unary_call(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata([("begin", "1")])
        context.set_trailing_metadata(grpc.aio.Metadata(("end", "2"), ("end", "3")))
        assert context.trailing_metadata() == (("end", "2"), ("end", "3"))
        return b""

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    assert await call.initial_metadata() == grpc.aio.Metadata(("begin", "1"))
    assert await call.trailing_metadata() == grpc.aio.Metadata(("end", "2"), ("end", "3"))
    assert await call == b""


async def test_without_any_metadata_the_client_sees_empty_metadata(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        return b""

    call = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    await call
    for metadata in (await call.initial_metadata(), await call.trailing_metadata()):
        assert isinstance(metadata, grpc.aio.Metadata)
        assert len(metadata) == 0


async def test_initial_metadata_is_sent_once(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata(())
        await context.send_initial_metadata(())
        return b""

    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError, match="Send initial metadata failed: already sent"):
        await channel.unary_unary(METHOD)(b"")


async def test_initial_metadata_that_cannot_be_sent_ends_the_call(host: Host) -> None:
    errors = []

    async def behavior(request: bytes, context: Any) -> bytes:
        try:
            await context.send_initial_metadata((("Upper", "v"),))
        except grpc.aio.InternalError as error:
            errors.append(error)
            raise
        return b""

    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"")
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert raised.value.details() == "Invalid metadata"
    assert errors


async def test_trailing_metadata_that_cannot_be_sent_ends_the_call(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("Upper", "v"),))
        return b""

    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError, match="Invalid metadata"):
        await channel.unary_unary(METHOD)(b"")


@pytest.mark.parametrize("metadata", ["ab", {"a": "b"}, None, [["a", "b"]], [("a",)], [("a", 1)]])
async def test_trailing_metadata_of_the_wrong_type_is_a_type_error(
    host: Host, metadata: Any
) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata(metadata)
        return b""

    channel = await host(raw("unary_unary", behavior))
    with pytest.raises(grpc.aio.AioRpcError, match="Invalid trailing metadata type"):
        await channel.unary_unary(METHOD)(b"")


def sized(kibibytes: int) -> tuple[tuple[str, str], ...]:
    return tuple((f"k{number}", "x" * 1024) for number in range(kibibytes))


class Large:
    """Handlers that answer with as much metadata, or text, as they are told to."""

    def __init__(self) -> None:
        self.handled = 0

    async def nothing(self, request: bytes, context: Any) -> bytes:
        self.handled += 1
        return b"answer"

    async def initial(self, request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata(sized(int(request)))
        return b"answer"

    async def trailing(self, request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata(sized(int(request)))
        return b"answer"

    async def details(self, request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("x" * 1024 * int(request))
        return b""

    async def escaped(self, request: bytes, context: Any) -> bytes:
        # Each counts six times: two bytes, of which each is written as %XX.
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("ü" * (1024 * int(request) // 6))
        return b""


async def failing(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


@pytest.mark.parametrize("kibibytes", [17, 100])
async def test_more_request_metadata_than_a_server_accepts_is_refused_unhandled(
    host: Host, kibibytes: int
) -> None:
    large = Large()
    method = (await host(raw("unary_unary", large.nothing))).unary_unary(METHOD)
    assert await method(b"", metadata=sized(6)) == b"answer"
    error = await failing(method(b"", metadata=sized(kibibytes)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "received metadata size exceeds" in str(error.details())
    assert large.handled == 1
    assert await method(b"") == b"answer"


@pytest.mark.parametrize("kibibytes", [17, 100])
@pytest.mark.parametrize("where", ["initial", "trailing", "details", "escaped"])
async def test_more_response_metadata_than_a_client_accepts_is_refused(
    host: Host, where: str, kibibytes: int
) -> None:
    method = (await host(raw("unary_unary", getattr(Large(), where)))).unary_unary(METHOD)
    small = method(b"6")
    expected = grpc.StatusCode.OK if where in {"initial", "trailing"} else grpc.StatusCode.ABORTED
    assert await small.code() is expected
    error = await failing(method(str(kibibytes).encode()))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "received metadata size exceeds" in str(error.details())


@pytest.mark.parametrize(
    "options",
    [
        [("grpc.max_metadata_size", 64 * 1024)],
        [("grpc.absolute_max_metadata_size", 64 * 1024)],
        [("grpc.max_metadata_size", 64 * 1024), ("grpc.absolute_max_metadata_size", 128 * 1024)],
    ],
)
async def test_each_side_s_options_raise_what_it_accepts(host: Host, options: Any) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata(sized(40))
        return b"answer"

    add = raw("unary_unary", behavior)
    both = (await host(add, options=options, client_options=options)).unary_unary(METHOD)
    assert await both(b"", metadata=sized(40)) == b"answer"
    server = (await host(add, options=options)).unary_unary(METHOD)
    assert "received metadata size" in str((await failing(server(b""))).details())
    client = (await host(add, client_options=options)).unary_unary(METHOD)
    error = await failing(client(b"", metadata=sized(40)))
    assert "received metadata size" in str(error.details())


async def test_options_lower_what_a_side_accepts(host: Host) -> None:
    options = [("grpc.max_metadata_size", 1000), ("grpc.absolute_max_metadata_size", 2000)]
    channel = await host(raw("unary_unary", Large().nothing), options=options)
    method = channel.unary_unary(METHOD)
    assert await method(b"") == b"answer"
    error = await failing(method(b"", metadata=sized(2)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_responses_before_too_much_trailing_metadata_are_read_first(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> Any:
        yield b"one"
        await asyncio.sleep(0.1)
        context.set_trailing_metadata(sized(17))

    call = (await host(raw("unary_stream", behavior))).unary_stream(METHOD)(b"")
    assert await call.read() == b"one"
    assert (await failing(call.read())).code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_compression_is_set_before_the_response_begins(host: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        context.set_compression(grpc.Compression.Gzip)
        context.disable_next_message_compression()
        if request:
            await context.send_initial_metadata(())
            context.set_compression(grpc.Compression.Gzip)
        return b"answer"

    channel = await host(raw("unary_unary", behavior))
    assert await channel.unary_unary(METHOD)(b"", compression=grpc.Compression.Deflate) == b"answer"
    with pytest.raises(grpc.aio.AioRpcError, match="Compression setting must be specified"):
        await channel.unary_unary(METHOD)(b"late")


async def test_nobody_is_authenticated(host: Host) -> None:
    seen: list[Any] = []

    async def behavior(request: bytes, context: Any) -> bytes:
        seen.append(context.peer_identities())
        seen.append(context.peer_identity_key())
        seen.append(context.auth_context())
        assert isinstance(context.peer(), str)
        return b""

    channel = await host(raw("unary_unary", behavior))
    await channel.unary_unary(METHOD)(b"")
    assert seen[:2] == [None, None]
    assert seen[2] == {
        "transport_security_type": [b"insecure"],
        "security_level": [b"TSI_SECURITY_NONE"],
    }


async def test_call_credentials_are_refused(host: Host) -> None:
    channel = await host()

    async def call() -> None:
        credentials = grpc.access_token_call_credentials("secret")
        await channel.unary_unary(METHOD)(b"", credentials=credentials)

    with pytest.raises(grpc.aio.UsageError, match="only valid on secure channels"):
        await call()
