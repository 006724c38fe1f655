"""Every timeout means the same over both transports, also those that make no sense."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from lib.grpc_inprocess.hosts import METHOD, Host, raw

EXPIRED = [-1, -1e300, -math.inf, math.inf, math.nan, 1e10, 1e300]
"""gRPC takes deadlines that 64 bits of nanoseconds cannot hold for long past."""


class Echo:
    """Answers at once, and counts how often."""

    def __init__(self) -> None:
        self.handled = 0

    async def unary(self, request: bytes, context: Any) -> bytes:
        self.handled += 1
        return request

    async def stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        self.handled += 1
        yield request

    async def join(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        self.handled += 1
        return b"".join([each async for each in requests])


@pytest.mark.parametrize("seconds", EXPIRED)
async def test_a_unary_call_whose_time_is_over_fails_unhandled(host: Host, seconds: float) -> None:
    echo = Echo()
    method = (await host(raw("unary_unary", echo.unary))).unary_unary(METHOD)
    assert await method(b"first") == b"first"
    call = method(b"second", timeout=seconds)
    assert not call.done()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert raised.value.details() == "Deadline Exceeded"
    assert echo.handled == 1


@pytest.mark.parametrize("seconds", EXPIRED)
async def test_a_stream_whose_time_is_over_fails_unhandled(host: Host, seconds: float) -> None:
    echo = Echo()
    channel = await host(raw("unary_stream", echo.stream))
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await channel.unary_stream(METHOD)(b"", timeout=seconds).read()
    assert echo.handled == 0


async def test_a_writer_whose_time_is_over_hears_of_it(host: Host) -> None:
    channel = await host(raw("stream_unary", Echo().join))
    call = channel.stream_unary(METHOD)(timeout=-1)
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await call.write(b"1")


async def test_an_expired_call_can_be_cancelled_before_it_fails(host: Host) -> None:
    method = (await host(raw("unary_unary", Echo().unary))).unary_unary(METHOD)
    call = method(b"", timeout=-1)
    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize("seconds", [0, 0.0, -0.0, 1e-9, False])
async def test_a_call_without_any_time_has_up_to_a_millisecond_and_then_fails(
    host: Host, seconds: float
) -> None:
    async def behavior(request: bytes, context: Any) -> bytes:
        await asyncio.sleep(float(request))
        return request

    method = (await host(raw("unary_unary", behavior))).unary_unary(METHOD)
    await method(b"0")
    with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
        await method(b"5", timeout=seconds)


async def test_within_the_process_a_call_without_any_time_is_handled(local: Host) -> None:
    method = (await local(raw("unary_unary", Echo().unary))).unary_unary(METHOD)
    for _ in range(50):
        assert await method(b"x", timeout=0) == b"x"


@pytest.mark.parametrize("seconds", [1, True, 1e8, 7e9, None])
async def test_a_call_with_enough_time_is_handled(host: Host, seconds: float | None) -> None:
    method = (await host(raw("unary_unary", Echo().unary))).unary_unary(METHOD)
    assert await method(b"x", timeout=seconds) == b"x"


async def test_a_timeout_that_is_no_number_is_a_type_error(host: Host) -> None:
    method = (await host(raw("unary_unary", Echo().unary))).unary_unary(METHOD)
    with pytest.raises(TypeError):
        method(b"x", timeout="1")
