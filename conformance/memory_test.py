"""A slow reader costs little memory, however long the stream."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from conformance.handler import Conformance
from conformance.requests import download
from conformance.v1.conformance import Chunk, DownloadRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from conformance.wiring import nats_server, server_process, wired
from seam.bus import GrpcChannel, open_channel
from seam.bus.nats import NatsChannel, open_nats

MIB: Final = 2**20
SIZE: Final = 256 * 1024
COUNT: Final = 800
"""Chunks: 200 MiB in all."""

MOST: Final = 64 * MIB
"""What a stream may cost a process, of 200 MiB that pass or wait."""


def resident(pid: int) -> int:
    """Bytes of memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Fresh(Conformance):
    """Makes each chunk anew, of bytes that take their room."""

    async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
        async for each in fresh(request.count):
            yield each


async def fresh(count: int, made: Callable[[], object] = lambda: None) -> AsyncIterator[Chunk]:
    for number in range(count):
        made()
        yield Chunk(number=number, data=b"\x01" * SIZE, stop=False, refuse=False, key="")


class Growth:
    """By how much processes have grown at the most."""

    def __init__(self, *pids: int) -> None:
        gc.collect()
        self._before = {pid: resident(pid) for pid in pids}
        self.most = dict.fromkeys(pids, 0)

    def look(self) -> None:
        for pid, before in self._before.items():
            self.most[pid] = max(self.most[pid], resident(pid) - before)


@pytest.fixture(
    params=["by reference", "strict", "gRPC between processes", "NATS between processes"]
)
async def callee(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ConformanceStub, Growth]]:
    async with AsyncExitStack() as stack:
        if request.param == "NATS between processes":
            url = stack.enter_context(nats_server())
            server = await stack.enter_async_context(server_process(url))
            caller = await stack.enter_async_context(open_nats(url))
            stub, pids = ConformanceStub(NatsChannel(caller)), [os.getpid(), server.pid]
        elif request.param != "gRPC between processes":
            wiring = await stack.enter_async_context(wired(request.param, handler=Fresh()))
            stub, pids = wiring.stub, [os.getpid()]
        else:
            server = await stack.enter_async_context(server_process())
            connection = await stack.enter_async_context(
                open_channel(server.address, [CONFORMANCE])
            )
            stub, pids = ConformanceStub(GrpcChannel(connection)), [os.getpid(), server.pid]
        # What every call needs once is not counted.
        async for _ in stub.download(download(8, size=SIZE)):
            pass
        yield stub, Growth(*pids)


async def test_a_reader_who_is_slow_keeps_both_sides_small(
    callee: tuple[ConformanceStub, Growth],
) -> None:
    stub, growth = callee
    count = 0
    async for each in stub.download(download(COUNT, size=SIZE)):
        assert len(each.data) == SIZE
        count += 1
        if count % 25 == 0:
            await asyncio.sleep(0.02)
            growth.look()
    assert count == COUNT
    assert max(growth.most.values()) < MOST, growth.most


async def test_a_reader_who_stops_keeps_both_sides_small(
    callee: tuple[ConformanceStub, Growth],
) -> None:
    stub, growth = callee
    async with stub.download(download(COUNT, size=SIZE)) as chunks:
        for _ in range(3):
            await anext(chunks)
        for _ in range(20):
            await asyncio.sleep(0.05)
            growth.look()
    assert max(growth.most.values()) < MOST, growth.most


async def test_a_caller_whose_answers_nobody_reads_is_stopped(
    callee: tuple[ConformanceStub, Growth],
) -> None:
    stub, growth = callee
    made = 0

    def count() -> None:
        nonlocal made
        made += 1

    async with stub.converse(fresh(COUNT, count)) as answers:
        await anext(answers)
        for _ in range(20):
            await asyncio.sleep(0.05)
            growth.look()
        assert 0 < made < COUNT // 2
    assert max(growth.most.values()) < MOST, growth.most
