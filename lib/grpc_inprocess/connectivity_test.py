"""Channels know in which state they are, and wake who waits for another one."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw

IDLE = grpc.ChannelConnectivity.IDLE
READY = grpc.ChannelConnectivity.READY
TRANSIENT_FAILURE = grpc.ChannelConnectivity.TRANSIENT_FAILURE
SHUTDOWN = grpc.ChannelConnectivity.SHUTDOWN


async def wait(request: bytes, context: Any) -> bytes:
    await asyncio.sleep(float(request))
    return b"finished"


async def until(channel: grpc.aio.Channel, expected: grpc.ChannelConnectivity) -> None:
    """As programs wait for a state, by gRPC's own documentation."""
    async with asyncio.timeout(10):
        while (state := channel.get_state()) is not expected:
            await channel.wait_for_state_change(state)


async def test_a_channel_is_idle_until_it_is_told_to_connect(host: Host) -> None:
    channel = await host()
    assert channel.get_state() is IDLE
    assert channel.get_state(try_to_connect=True) is IDLE
    await until(channel, READY)


async def test_telling_a_channel_to_connect_wakes_who_waits_for_it(host: Host) -> None:
    channel = await host()
    waiting = asyncio.create_task(channel.wait_for_state_change(IDLE))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    channel.get_state(try_to_connect=True)
    await asyncio.wait_for(waiting, 10)


async def test_a_call_connects_its_channel_and_wakes_who_waits_for_it(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    waiting = asyncio.create_task(channel.wait_for_state_change(IDLE))
    await asyncio.sleep(0)
    await channel.unary_unary(METHOD)(b"0")
    await asyncio.wait_for(waiting, 10)
    assert channel.get_state() is READY


async def test_waiting_for_another_state_than_the_present_one_ends_at_once(host: Host) -> None:
    channel = await host()
    await asyncio.wait_for(channel.wait_for_state_change(READY), 10)
    assert channel.get_state() is IDLE


async def test_a_channel_whose_server_stops_is_idle_and_fails_when_it_is_used(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    await channel.channel_ready()
    lost = asyncio.create_task(channel.wait_for_state_change(READY))
    await asyncio.sleep(0)
    assert host.server is not None
    await host.server.stop(None)
    await asyncio.wait_for(lost, 10)
    assert channel.get_state() is IDLE
    failed = asyncio.create_task(until(channel, TRANSIENT_FAILURE))
    await asyncio.sleep(0)
    with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
        await channel.unary_unary(METHOD)(b"0")
    await failed


async def test_a_channel_to_a_server_that_stops_with_grace_is_no_longer_ready(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    call = channel.unary_unary(METHOD)(b"0.3")
    await asyncio.sleep(0.05)
    assert host.server is not None
    stopping = asyncio.create_task(host.server.stop(5))
    await asyncio.sleep(0.1)
    assert channel.get_state() is IDLE
    assert await call == b"finished"
    await stopping


async def test_closing_a_channel_wakes_who_waits_and_leaves_nothing_to_wait_for(
    host: Host,
) -> None:
    channel = await host(raw("unary_unary", wait))
    waiting = asyncio.create_task(channel.wait_for_state_change(IDLE))
    await asyncio.sleep(0.05)
    await channel.close()
    await asyncio.wait_for(waiting, 10)
    assert channel.get_state() is SHUTDOWN
    assert channel.get_state(try_to_connect=True) is SHUTDOWN
    for state in (SHUTDOWN, IDLE):
        with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
            await asyncio.wait_for(channel.wait_for_state_change(state), 10)
    with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
        await asyncio.wait_for(channel.channel_ready(), 10)


async def test_closing_ends_waiting_for_a_server_that_does_not_start(host: Host) -> None:
    channel = await host(start=False)
    ready = asyncio.create_task(channel.channel_ready())
    await asyncio.sleep(0.05)
    await channel.close()
    with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
        await asyncio.wait_for(ready, 10)


async def test_a_channel_that_closes_with_grace_is_ready_until_then_and_takes_no_calls(
    host: Host,
) -> None:
    channel = await host(raw("unary_unary", wait))
    method = channel.unary_unary(METHOD)
    call = method(b"0.3")
    await asyncio.sleep(0.1)
    closing = asyncio.create_task(channel.close(10))
    await asyncio.sleep(0.05)
    assert channel.get_state() is READY
    with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
        method(b"0")
    with pytest.raises(grpc.aio.UsageError, match="Channel is closed"):
        await asyncio.wait_for(channel.wait_for_state_change(READY), 10)
    await channel.close()
    assert not call.done()
    await asyncio.wait_for(closing, 5)
    assert await call == b"finished"
    assert channel.get_state() is SHUTDOWN


async def test_a_negative_grace_is_refused_while_the_channel_is_open(host: Host) -> None:
    channel = await host(raw("unary_unary", wait))
    with pytest.raises(ValueError, match="grace must be non-negative"):
        await channel.close(-1)
    assert await channel.unary_unary(METHOD)(b"0") == b"finished"
    await channel.close()
    await channel.close(-1)


async def test_closing_that_is_given_up_closes_all_the_same(local: Host) -> None:
    channel = await local(raw("unary_unary", wait))
    call = channel.unary_unary(METHOD)(b"30")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.close(30), 0.05)
    assert call.cancelled()
    assert channel.get_state() is SHUTDOWN


async def test_waiting_with_a_time_limit_again_and_again_leaves_nothing_behind(
    local: Host,
) -> None:
    channel = await local()
    server: Any = local.server
    for _ in range(20):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(channel.wait_for_state_change(IDLE), 0.001)
        assert await server.wait_for_termination(0.001)
    assert server.changed.waiting == 0
