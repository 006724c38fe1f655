"""Servers start, refuse, wait and stop, and channels know in which state they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess import LocalChannel, LocalServer
from lib.grpc_inprocess.hosts import METHOD, Host, raw
from lib.grpc_inprocess.streaming_test import eventually


async def answer(request: bytes, context: Any) -> bytes:
    return b"answer"


async def wait(request: bytes, context: Any) -> bytes:
    await asyncio.sleep(float(request))
    return b"finished"


async def stopped(host: Host, grace: float | None) -> None:
    assert host.server is not None
    await host.server.stop(grace)


async def test_a_stopped_server_cancels_what_is_under_way(host: Host) -> None:
    async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(30)

    unary = (await host(raw("unary_unary", wait))).unary_unary(METHOD)(b"30")
    await asyncio.sleep(0.05)
    await stopped(host, None)
    streaming = (await host(raw("unary_stream", stream))).unary_stream(METHOD)(b"")
    await streaming.read()
    await stopped(host, None)
    for awaitable in (unary, streaming.read()):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await awaitable
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert raised.value.details() == "Cancelling all calls"


async def test_calls_under_way_may_finish_within_the_grace_and_new_ones_are_refused(
    host: Host,
) -> None:
    method = (await host(raw("unary_unary", wait))).unary_unary(METHOD)
    short, long = method(b"0.2"), method(b"30")
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(stopped(host, 0.4))
    await asyncio.sleep(0.05)
    with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
        await method(b"0")
    assert await short == b"finished"
    with pytest.raises(grpc.aio.AioRpcError, match="Cancelling all calls"):
        await long
    await stopping


async def test_a_server_is_stopped_once_and_for_all(host: Host) -> None:
    await host()
    server = host.server
    assert server is not None
    await server.start()
    assert await server.wait_for_termination(0.01)
    waiting = asyncio.create_task(server.wait_for_termination())
    await server.stop(None)
    await server.stop(1)
    assert not await waiting
    with pytest.raises(grpc.aio.UsageError, match="Server not in ready state"):
        await server.start()


async def test_more_calls_at_once_than_allowed_are_refused(host: Host) -> None:
    channel = await host(raw("unary_unary", wait), maximum_concurrent_rpcs=1)
    method = channel.unary_unary(METHOD)
    first = method(b"0.2")
    await asyncio.sleep(0.05)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await method(b"0")
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert raised.value.details() == "Concurrent RPC limit exceeded!"
    assert await first == b"finished"
    assert await method(b"0") == b"finished"


async def test_a_closed_channel_cancels_its_calls_and_takes_no_more(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    method = channel.unary_unary(METHOD)
    call = method(b"30")
    await asyncio.sleep(0.05)
    await channel.close()
    await channel.close()
    assert call.cancelled()
    assert channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
    with pytest.raises(asyncio.CancelledError):
        await call

    async def again() -> None:
        await method(b"0")

    with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
        await again()


async def test_a_channel_gives_its_calls_some_grace(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    method = channel.unary_unary(METHOD)
    short, long = method(b"0.1"), method(b"30")
    await asyncio.sleep(0.05)
    await channel.close(0.3)
    assert await short == b"finished"
    assert long.cancelled()


async def join(requests: AsyncIterator[bytes], context: Any) -> bytes:
    return b"".join([each async for each in requests])


async def to_stopped(host: Host) -> Any:
    channel = await host(raw("unary_unary", answer))
    await channel.channel_ready()
    await stopped(host, None)
    return channel


async def test_a_unary_call_to_a_stopped_server_is_unavailable(host: Host) -> None:
    method = (await to_stopped(host)).unary_unary(METHOD)
    for _ in range(2):
        call = method(b"", timeout=10)
        seen: list[bool] = []
        call.add_done_callback(lambda ended, seen=seen: seen.append(ended.done()))
        assert not call.done()
        with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
            await call
        assert seen == [True]
        assert await call.initial_metadata() == await call.trailing_metadata() == ()


async def test_a_call_to_a_stopped_server_can_be_cancelled_before_it_fails(host: Host) -> None:
    call = (await to_stopped(host)).unary_unary(METHOD)(b"", timeout=10)
    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_streams_to_a_stopped_server_are_unavailable(host: Host) -> None:
    channel = await to_stopped(host)
    reading = channel.unary_stream(METHOD)(b"", timeout=10)
    assert not reading.done()
    with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
        await reading.read()
    connecting = channel.stream_stream(METHOD)(timeout=10)
    with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
        await connecting.wait_for_connection()
    with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
        await channel.stream_unary(METHOD)(iter([b""]), timeout=10)
    for kind in ("stream_unary", "stream_stream"):
        writing = getattr(channel, kind)(METHOD)(timeout=10)
        assert not writing.done()
        # Over a socket, a writer is now and then told of an internal error.
        with pytest.raises(grpc.aio.AioRpcError, match=r"UNAVAILABLE|INTERNAL"):
            await writing.write(b"")
        await writing.done_writing()
        assert writing.done()


async def test_a_stopped_server_is_waited_for_until_the_deadline(host: Host) -> None:
    method = (await to_stopped(host)).unary_unary(METHOD)
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await method(b"", wait_for_ready=True, timeout=0.2)


async def test_writing_waits_until_the_server_has_started(host: Host) -> None:
    channel = await host(raw("stream_unary", join), start=False)
    call = channel.stream_unary(METHOD)(wait_for_ready=True, timeout=30)
    writing = asyncio.create_task(call.write(b"written early"))
    connected = asyncio.create_task(call.wait_for_connection())
    await asyncio.sleep(0.05)
    assert not writing.done()
    assert not connected.done()
    assert host.server is not None
    await host.server.start()
    await asyncio.gather(writing, connected)
    await call.done_writing()
    assert await call == b"written early"


async def test_without_a_running_server_calls_fail_at_once() -> None:
    server = LocalServer()
    channel: Any = LocalChannel(server)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(METHOD)(b"")
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert raised.value.details() == (
        "the server of /test.Raw/Method in this process has not been started"
    )
    assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE


async def test_a_call_may_wait_until_the_server_is_ready() -> None:
    server = LocalServer()
    raw("unary_unary", answer)(server)
    channel: Any = LocalChannel(server)
    assert channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.IDLE
    observed = channel.get_state()
    assert observed is grpc.ChannelConnectivity.TRANSIENT_FAILURE
    patient = channel.unary_unary(METHOD)(b"", wait_for_ready=True)
    impatient = channel.unary_unary(METHOD)(b"", wait_for_ready=True, timeout=0.05)
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await impatient
    changed = asyncio.create_task(channel.wait_for_state_change(observed))
    ready = asyncio.create_task(channel.channel_ready())
    await asyncio.sleep(0)
    assert not patient.done()
    assert not changed.done()
    await server.start()
    assert await patient == b"answer"
    await asyncio.gather(changed, ready)
    await channel.close()
    await server.stop(None)


async def test_stopping_waits_until_handlers_have_cleaned_up(local: Host) -> None:
    cleaned = []

    async def behavior(request: bytes, context: Any) -> bytes:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append(True)
        return b""

    call = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    await asyncio.sleep(0.01)
    await stopped(local, None)
    assert cleaned
    assert call.done()


async def test_a_handler_may_stop_its_own_server(local: Host) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        await stopped(local, None)
        return b""

    call = (await local(raw("unary_unary", behavior))).unary_unary(METHOD)(b"")
    with pytest.raises(grpc.aio.AioRpcError, match="Cancelling all calls"):
        await call
    await eventually(lambda: local.server is not None)


async def test_many_channels_reach_one_server() -> None:
    server = LocalServer()
    raw("unary_unary", answer)(server)
    await server.start()
    one: Any = LocalChannel(server)
    other: Any = LocalChannel(server)
    async with one, other:
        assert await one.unary_unary(METHOD)(b"") == b"answer"
        await one.close()
        assert await other.unary_unary(METHOD)(b"") == b"answer"
    await server.stop(None)


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
def test_another_event_loop_is_refused_with_a_reason(kind: str) -> None:
    server = LocalServer()
    raw(kind, answer)(server)
    asyncio.run(server.start())
    left: set[asyncio.Task[Any]] = set()

    async def call() -> None:
        async def requests() -> AsyncIterator[bytes]:
            yield b""

        method = getattr(LocalChannel(server), kind)(METHOD)
        try:
            method(b"" if kind == "unary_unary" else requests())
        finally:
            left.update(asyncio.all_tasks() - {asyncio.current_task()})

    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(call())
    assert not left


async def test_a_thread_without_an_event_loop_is_refused(host: Host) -> None:
    method = (await host(raw("unary_unary", answer))).unary_unary(METHOD)
    with pytest.raises(RuntimeError):
        await asyncio.to_thread(method, b"")


def test_ports_are_refused_with_a_reason() -> None:
    with pytest.raises(NotImplementedError, match=r"a LocalServer has no ports"):
        LocalServer().add_insecure_port("[::]:50051")
    credentials: Any = None
    with pytest.raises(NotImplementedError, match=r"grpc\.aio\.server\(\)"):
        LocalServer().add_secure_port("[::]:50051", credentials)


def test_retries_and_timeouts_of_a_service_config_are_refused() -> None:
    method: dict[str, Any] = {"name": [{}], "retryPolicy": {"maxAttempts": 5}}
    config = json.dumps({"methodConfig": [method]})
    with pytest.raises(NotImplementedError, match="methodConfig"):
        LocalChannel(LocalServer(), options=[("grpc.service_config", config)])


def test_options_of_connections_are_ignored() -> None:
    config = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
    options: list[tuple[str, Any]] = [
        ("grpc.keepalive_time_ms", 8000),
        ("grpc.lb_policy_name", "pick_first"),
        ("grpc.service_config", config),
    ]
    LocalChannel(LocalServer(options=options), options=options)


@pytest.mark.parametrize(
    "arguments", [{"interceptors": [object()]}, {"maximum_concurrent_rpcs": 0}]
)
def test_a_server_refuses_what_it_cannot_use(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ServerInterceptor|positive"):
        LocalServer(**arguments)
