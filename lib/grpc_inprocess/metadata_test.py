"""Metadata crosses in both directions, under the same rules over both transports."""

from __future__ import annotations

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


async def test_names_of_the_protocol_are_kept_from_the_server(host: Host) -> None:
    names = ["te", "content-type", "user-agent", "grpc-encoding", "grpc-status", "grpc-custom"]
    seen = await seen_by_server(host, [(name, "mine") for name in names])
    assert seen == [("grpc-custom", "mine")]


@pytest.mark.parametrize("pair", [("Upper", "v"), ("a b", "v"), ("", "v"), ("k", "ü"), ("k", "\n")])
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
