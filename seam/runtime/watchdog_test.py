"""A handler that blocks the event loop is named."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import time
from collections.abc import AsyncIterator

import pytest
import uvloop

from conformance.handler import Conformance
from conformance.requests import chunk, collected, download
from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    EchoRequest,
    EchoResponse,
    IncludeRequest,
    IncludeResponse,
    JournalRequest,
)
from conformance.wiring import TRANSPORTS, Wiring, wired
from seam.runtime.watchdog import function_at_work, watching


class Blocks(Conformance):
    """Blocks the loop where a handler may: in a call, in a stream, in a call that it makes."""

    async def echo(self, request: EchoRequest) -> EchoResponse:
        time.sleep(0.3)  # noqa: ASYNC251
        return EchoResponse()

    async def include(self, request: IncludeRequest) -> IncludeResponse:
        assert self.itself is not None
        await self.itself.echo(EchoRequest())
        return IncludeResponse(size=0)

    async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
        yield chunk(0)
        time.sleep(0.3)  # noqa: ASYNC251
        yield chunk(1)


@pytest.fixture(params=TRANSPORTS)
async def wiring(request: pytest.FixtureRequest) -> AsyncIterator[Wiring]:
    async with wired(request.param, handler=Blocks()) as made:
        yield made


def warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    """Who blocked the loop, and for how many milliseconds."""
    found = []
    for record in caplog.records:
        if record.name == "seam.runtime.watchdog":
            assert record.levelno == logging.WARNING
            match = re.fullmatch(r"(.+) blocked the event loop for (\d+) ms", record.getMessage())
            assert match, record.getMessage()
            found.append((match[1], int(match[2])))
    return found


async def test_a_handler_that_blocks_is_named_once_with_its_milliseconds(
    wiring: Wiring, caplog: pytest.LogCaptureFixture
) -> None:
    with watching():
        await asyncio.sleep(0.1)
        await wiring.stub.echo(EchoRequest())
        await asyncio.sleep(0.3)
    [(who, milliseconds)] = warnings(caplog)
    assert who == "conformance.v1.Conformance/Echo"
    assert 250 <= milliseconds < 1_000


async def test_a_stream_s_handler_that_blocks_is_named(
    wiring: Wiring, caplog: pytest.LogCaptureFixture
) -> None:
    with watching():
        await asyncio.sleep(0.1)
        await collected(wiring.stub.download(download(1)))
        await asyncio.sleep(0.3)
    [(who, milliseconds)] = warnings(caplog)
    assert who == "conformance.v1.Conformance/Download"
    assert 250 <= milliseconds < 1_000


async def test_of_a_handler_that_calls_another_the_one_that_blocks_is_named(
    wiring: Wiring, caplog: pytest.LogCaptureFixture
) -> None:
    with watching():
        await asyncio.sleep(0.1)
        await wiring.stub.include(IncludeRequest(key="", name=""))
        await asyncio.sleep(0.3)
    assert [who for who, _ in warnings(caplog)] == ["conformance.v1.Conformance/Echo"]


async def test_each_of_several_blocks_is_reported(
    wiring: Wiring, caplog: pytest.LogCaptureFixture
) -> None:
    with watching():
        for _ in range(3):
            await asyncio.sleep(0.2)
            await wiring.stub.echo(EchoRequest())
        await asyncio.sleep(0.2)
    assert [who for who, _ in warnings(caplog)] == ["conformance.v1.Conformance/Echo"] * 3


async def block() -> None:
    await asyncio.sleep(0)
    block_now()


def block_now() -> None:
    time.sleep(0.3)


HERE = "seam.runtime.watchdog_test"


async def test_a_task_that_a_handler_has_started_and_that_blocks_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Spawns(Conformance):
        async def echo(self, request: EchoRequest) -> EchoResponse:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fetch())
            return EchoResponse()

        async def fetch(self) -> None:
            await block()

    async with wired("by reference", handler=Spawns()) as wiring:
        with watching():
            await asyncio.sleep(0.1)
            await wiring.stub.echo(EchoRequest())
            await asyncio.sleep(0.3)
    [(who, milliseconds)] = warnings(caplog)
    assert who.startswith(f"conformance.v1.Conformance/Echo (in {HERE}.")
    assert who.endswith(".Spawns.fetch)")
    assert 250 <= milliseconds < 1_000


async def test_a_task_of_nobody_s_that_blocks_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with watching():
        await asyncio.sleep(0.1)
        await asyncio.create_task(block())
        await asyncio.sleep(0.3)
    assert [who for who, _ in warnings(caplog)] == [f"{HERE}.block"]


async def test_a_callback_that_blocks_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with watching():
        await asyncio.sleep(0.1)
        asyncio.get_running_loop().call_soon(block_now)
        await asyncio.sleep(0.6)
    assert [who for who, _ in warnings(caplog)] == [f"{HERE}.block_now"]


async def test_work_that_never_lets_go_of_the_interpreter_is_seen_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Computes(Conformance):
        async def echo(self, request: EchoRequest) -> EchoResponse:
            # One call into C, which holds the interpreter's lock for most of a second.
            assert not re.match("(a|aa)+b", "a" * 33)
            return EchoResponse()

    async with wired("by reference", handler=Computes()) as wiring:
        with watching():
            await asyncio.sleep(0.1)
            await wiring.stub.echo(EchoRequest(), timeout=60)
            await asyncio.sleep(0.3)
    assert [who for who, _ in warnings(caplog)] == ["conformance.v1.Conformance/Echo"]


async def test_nothing_is_said_when_nothing_blocks(caplog: pytest.LogCaptureFixture) -> None:
    async with wired("by reference") as wiring:
        with watching():
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                await asyncio.gather(
                    *(wiring.stub.journal(JournalRequest(key="")) for _ in range(20))
                )
                await asyncio.sleep(0.005)
    assert warnings(caplog) == []


async def test_watching_costs_next_to_nothing() -> None:
    begun = time.process_time()
    with watching():
        await asyncio.sleep(1)
    # 50 looks at the clock in each of two threads.
    assert time.process_time() - begun < 0.1


async def test_watching_ends_with_its_thread() -> None:
    before = threading.active_count()
    with watching():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_an_event_loop_in_which_nothing_runs_is_not_blocked() -> None:
    # A machine that is busy with something else makes it late as well.
    functions: list[str | None] = []

    def look(thread: int) -> None:
        time.sleep(0.2)
        functions.append(function_at_work(sys._current_frames()[thread]))

    for new_event_loop in (asyncio.SelectorEventLoop, uvloop.new_event_loop):
        watching_thread = threading.Thread(target=look, args=(threading.get_ident(),))
        watching_thread.start()
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(asyncio.sleep(0.5))
        watching_thread.join()
    assert functions == [None, None]
