"""What checks and tests ask the handler for, and how they wait for what it does."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Final, TypeVar

from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    JournalRequest,
    WaitRequest,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.contract.errors import StatusError

T = TypeVar("T")

LONG: Final = timedelta(seconds=30)
PATIENCE: Final = 10.0
"""Seconds in which something that happens elsewhere must have happened."""


async def failure_of(call: Awaitable[object]) -> StatusError:
    """The status that a call fails with.

    Raises:
        AssertionError: it goes well.
    """
    try:
        answer = await call
    except StatusError as error:
        return error
    raise AssertionError(f"it did not fail, but gave {answer!r}")


async def collected(responses: AsyncIterator[T]) -> list[T]:
    """All responses of a stream."""
    return [each async for each in responses]


async def events(stub: ConformanceStub, key: str) -> dict[str, int]:
    """What the service noted under a key."""
    return dict((await stub.journal(JournalRequest(key=key))).events)


async def noted(stub: ConformanceStub, key: str, event: str) -> None:
    """Wait until the service has noted an event.

    Raises:
        AssertionError: it did not in time.
    """
    end = time.monotonic() + PATIENCE
    while event not in (found := await events(stub, key)):
        assert time.monotonic() < end, f"{event} was not noted, only {found}"
        await asyncio.sleep(0.02)


def new_key() -> str:
    """A key that nothing was noted under."""
    return uuid.uuid4().hex


def waiting(span: timedelta, key: str = "", *, in_background: bool = False) -> WaitRequest:
    """A request to wait."""
    return WaitRequest(span=span, key=key, in_background=in_background)


def download(
    count: int,
    *,
    size: int = 1,
    key: str = "",
    tidy: timedelta | None = None,
    pause: timedelta | None = None,
) -> DownloadRequest:
    """A request for chunks."""
    return DownloadRequest(count=count, size=size, key=key, tidy=tidy, pause=pause)


def chunk(number: int, *, size: int = 1, key: str = "") -> Chunk:
    """A chunk that asks for nothing."""
    return Chunk(number=number, data=bytes(size), stop=False, refuse=False, key=key)


async def chunked(
    count: int, *, size: int = 1, stop_at: int = -1, refuse_at: int = -1
) -> AsyncIterator[Chunk]:
    """Some chunks, of which one may ask for an end."""
    for number in range(count):
        yield Chunk(
            number=number,
            data=bytes(size),
            stop=number == stop_at,
            refuse=number == refuse_at,
            key="",
        )


async def endless(*, stop_at: int) -> AsyncIterator[Chunk]:
    """Chunks up to one that asks for an end, and then silence without one."""
    async for each in chunked(stop_at + 1, stop_at=stop_at):
        yield each
    await asyncio.sleep(LONG.total_seconds())


async def broken_off(
    span: timedelta, *, key: str, tidy: timedelta | None = None
) -> AsyncIterator[Chunk]:
    """Some chunks, and then silence instead of the rest."""
    for number in range(3):
        yield Chunk(number=number, data=b"x", stop=False, refuse=False, key=key, tidy=tidy)
    await asyncio.sleep(span.total_seconds())


async def broken_at_once() -> AsyncIterator[Chunk]:
    """Requests of which not even the first can be made."""
    for number in range(1):
        if number == 0:
            raise KeyError("the caller's own")
        yield chunk(number)


async def close_early(stub: ConformanceStub, request: DownloadRequest) -> None:
    """Read one response, then close the stream."""
    chunks = stub.download(request)
    await anext(chunks)
    await chunks.aclose()


async def break_early(stub: ConformanceStub, request: DownloadRequest) -> None:
    """Read one response, then forget the stream."""
    async for _ in stub.download(request):
        break


async def leave_block_early(stub: ConformanceStub, request: DownloadRequest) -> None:
    """Read nothing, and leave the stream's block when the handler is at work."""
    async with stub.download(request):
        await noted(stub, request.key, "download.sent")
