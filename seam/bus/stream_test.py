"""The caller's end of a call with streams: it ends with its reader, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from conformance.handler import Conformance
from conformance.requests import (
    LONG,
    chunk,
    chunked,
    collected,
    download,
    failure_of,
    new_key,
    noted,
)
from conformance.v1.conformance import Chunk, DownloadRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from conformance.wiring import TRANSPORTS, Wiring, wired
from seam.bus import GrpcChannel, Invoke, ResponseStream, StreamInvoke, open_channel
from seam.bus.stream import BUFFER, Respond
from seam.call.context import CallContext
from seam.contract import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record
from seam.testing.proxy import proxying

LATE = StatusError(Code.DEADLINE_EXCEEDED, "late")


@pytest.fixture(params=TRANSPORTS)
async def wiring(request: pytest.FixtureRequest) -> AsyncIterator[Wiring]:
    async with wired(request.param) as made:
        yield made


@pytest.fixture(autouse=True)
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """What asyncio finds wrong: a task that is forgotten while it waits, an unheard exception."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    gc.collect()
    await asyncio.sleep(0)
    assert found == []


class Counting:
    """Counts upwards for a reader, and notes when it is closed."""

    def __init__(self, end: int = 1_000_000) -> None:
        self.end = end
        self.made = 0
        self.closed = False

    async def __call__(self, requests: AsyncIterator[Any]) -> AsyncIterator[int]:
        try:
            for number in range(self.end):
                self.made += 1
                yield number
                await asyncio.sleep(0)
        finally:
            self.closed = True


async def nothing() -> AsyncIterator[int]:
    for _ in range(0):
        yield 0


async def nothing_left(before: set[asyncio.Task[Any]]) -> None:
    """Wait until only those tasks run that ran before."""
    async with asyncio.timeout(5):
        while left(before):
            gc.collect()
            await asyncio.sleep(0.01)


def left(before: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """What runs now and did not run before, except that a gRPC server waits for its next call."""
    return [
        task for task in asyncio.all_tasks() - before if "AioServer._request_call" not in str(task)
    ]


def stream(
    respond: Respond, requests: AsyncIterable[Any] | None = None, seconds: float = 30
) -> ResponseStream[int]:
    return ResponseStream(respond, nothing() if requests is None else requests, seconds, LATE)


async def test_responses_come_in_order_and_end() -> None:
    before = asyncio.all_tasks()
    assert [each async for each in stream(Counting(100))] == list(range(100))
    await nothing_left(before)


async def test_a_call_begins_before_it_is_read_and_stops_when_nobody_reads() -> None:
    counting = Counting()
    async with stream(counting):
        await asyncio.sleep(0.1)
        assert counting.made == BUFFER + 1
    assert counting.closed


@pytest.mark.parametrize("read", [0, 1, 100])
async def test_letting_go_of_a_stream_ends_its_call(read: int) -> None:
    before, counting = asyncio.all_tasks(), Counting()
    responses = stream(counting)
    await asyncio.sleep(0)
    for _ in range(read):
        await anext(responses)
    del responses
    gc.collect()
    await nothing_left(before)
    assert counting.closed


async def test_a_call_that_nobody_let_begin_leaves_nothing_behind() -> None:
    before, counting = asyncio.all_tasks(), Counting()
    stream(counting)
    await nothing_left(before)
    assert counting.made == 0


async def test_breaking_out_of_a_loop_ends_the_call() -> None:
    before, counting = asyncio.all_tasks(), Counting()
    async for number in stream(counting):
        if number == 3:
            break
    await nothing_left(before)
    assert counting.closed


async def test_closing_a_stream_waits_until_its_call_is_over() -> None:
    before, counting = asyncio.all_tasks(), Counting()
    responses = stream(counting)
    await anext(responses)
    await responses.aclose()
    assert counting.closed
    assert asyncio.all_tasks() == before
    error = await failure_of(anext(responses))
    assert (error.code, error.message) == (Code.CANCELLED, "the caller ended the call")
    await responses.aclose()


async def test_a_stream_that_was_closed_before_its_call_began_is_cancelled() -> None:
    counting = Counting()
    responses = stream(counting)
    await responses.aclose()
    assert (await failure_of(anext(responses))).code is Code.CANCELLED
    assert counting.made == 0


async def test_a_stream_that_has_ended_stays_ended_when_it_is_closed() -> None:
    responses = stream(Counting(1))
    assert [each async for each in responses] == [0]
    await responses.aclose()
    assert await anext(responses, None) is None


async def test_time_runs_out_while_nobody_reads() -> None:
    before, counting = asyncio.all_tasks(), Counting()
    responses = stream(counting, seconds=0.1)
    assert await anext(responses) == 0
    await asyncio.sleep(0.3)
    assert counting.closed
    assert await failure_of(anext(responses)) is LATE
    await nothing_left(before)


async def test_time_that_runs_out_does_not_spoil_what_has_ended() -> None:
    responses = stream(Counting(1), seconds=0.1)
    assert await anext(responses) == 0
    await asyncio.sleep(0.2)
    assert await anext(responses, None) is None


async def test_an_error_of_the_callee_follows_its_responses() -> None:
    async def failing(requests: AsyncIterator[Any]) -> AsyncIterator[int]:
        yield 0
        yield 1
        raise StatusError(Code.NOT_FOUND, "gone")

    before, received = asyncio.all_tasks(), []
    responses = stream(failing)

    async def read() -> None:
        async for each in responses:
            received.append(each)  # noqa: PERF401

    assert (await failure_of(read())).message == "gone"
    assert received == [0, 1]
    await nothing_left(before)


async def test_an_error_of_the_caller_s_own_requests_comes_back_and_ends_the_call() -> None:
    ended = []

    async def requests() -> AsyncIterator[int]:
        yield 0
        raise KeyError("my own")

    async def echo(received: AsyncIterator[int]) -> AsyncIterator[int]:
        try:
            async for each in received:
                yield each
        finally:
            ended.append(True)

    before = asyncio.all_tasks()
    with pytest.raises(KeyError, match="my own"):
        async for _ in stream(echo, requests()):
            pass
    await nothing_left(before)
    assert ended == [True]


async def test_requests_that_nobody_reads_any_more_are_closed() -> None:
    closed = []

    async def requests() -> AsyncIterator[int]:
        try:
            for number in range(1_000_000):
                yield number
        finally:
            closed.append(True)

    async def first(received: AsyncIterator[int]) -> AsyncIterator[int]:
        yield await anext(received)

    before = asyncio.all_tasks()
    assert [each async for each in stream(first, requests())] == [0]
    await nothing_left(before)
    assert closed == [True]


async def test_a_reader_that_is_cancelled_ends_the_call() -> None:
    before, ended = asyncio.all_tasks(), []

    async def silent(requests: AsyncIterator[Any]) -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(30)
        finally:
            ended.append(True)

    responses = stream(silent)
    await anext(responses)
    reading = asyncio.ensure_future(anext(responses))
    await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait([reading])
    await nothing_left(before)
    assert ended == [True]
    async with asyncio.timeout(5):
        assert (await failure_of(anext(responses))).code is Code.CANCELLED


async def test_many_streams_at_once_leave_nothing_behind(wiring: Wiring) -> None:
    before = asyncio.all_tasks()

    async def read(number: int) -> None:
        if number % 3 == 0:
            assert len(await collected(wiring.stub.download(download(30)))) == 30
        elif number % 3 == 1:
            async with wiring.stub.converse(chunked(1_000_000)) as answers:
                await anext(answers)
        else:
            async for _ in wiring.stub.download(download(1_000_000)):
                break

    await asyncio.gather(*(read(number) for number in range(60)))
    await nothing_left(before)


async def test_all_kinds_of_failure_leave_nothing_behind(wiring: Wiring) -> None:
    before = asyncio.all_tasks()

    async def broken() -> AsyncIterator[Chunk]:
        yield chunk(0)
        raise KeyError("my own")

    slow = DownloadRequest(count=5, size=1, pause=LONG, key="")
    for _ in range(10):
        assert (await failure_of(collected(wiring.stub.download(slow, timeout=0.02)))).code is (
            Code.DEADLINE_EXCEEDED
        )
        await failure_of(collected(wiring.stub.converse(chunked(9, refuse_at=3))))
        await failure_of(wiring.stub.upload(chunked(9, refuse_at=3)))
        with pytest.raises(KeyError):
            await wiring.stub.upload(broken())
    await nothing_left(before)


async def test_the_deadline_passes_while_nobody_reads(wiring: Wiring) -> None:
    key, before = new_key(), asyncio.all_tasks()
    responses = wiring.stub.download(download(1_000_000, key=key), timeout=0.3)
    await anext(responses)
    await noted(wiring.direct, key, "download.ended")
    await asyncio.sleep(0.4)
    error = await failure_of(collected(responses))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert error.message == "conformance.v1.Conformance/Download exceeded its deadline"
    await nothing_left(before)


@pytest.mark.parametrize("where", ["at work", "behind a full buffer"])
async def test_a_cleanup_that_fails_when_the_caller_has_left_is_logged_and_holds_nothing_up(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Careless(Conformance):
        async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
            try:
                for number in range(1_000):
                    yield chunk(number)
                    if where == "at work":
                        await asyncio.sleep(0.001)
            finally:
                raise RuntimeError("while tidying up")

    for transport in TRANSPORTS:
        caplog.clear()
        async with wired(transport, handler=Careless()) as wiring:
            before = asyncio.all_tasks()
            async with wiring.stub.download(download(1)) as chunks:
                await anext(chunks)
                await asyncio.sleep(0.05)
            await nothing_left(before)
            async with asyncio.timeout(5):
                while not caplog.records:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        logged = [record.getMessage() for record in caplog.records]
        assert any("Conformance/Download failed, error id" in each for each in logged), (
            transport,
            logged,
        )


async def test_a_handler_that_tidies_up_is_not_cut_short_by_a_caller_who_leaves() -> None:
    """Nor by a deadline that passes, nor by a reader who then reads the end, or closes."""
    tidied: list[str] = []

    class Tidy(Conformance):
        async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
            try:
                for number in range(1_000):
                    yield chunk(number)
                    await asyncio.sleep(0.01)
            finally:
                await asyncio.sleep(0.1)
                tidied.append(request.key)

    for transport in TRANSPORTS:
        tidied.clear()
        async with wired(transport, handler=Tidy()) as wiring:
            await failure_of(
                collected(wiring.stub.download(download(1, key="deadline"), timeout=0.1))
            )
            async with wiring.stub.download(download(1, key="deadline, closed"), timeout=0.1) as c:
                await failure_of(collected(c))
                await asyncio.sleep(0.03)
            async with wiring.stub.download(download(1, key="closed")) as chunks:
                await anext(chunks)
            async for _ in wiring.stub.download(download(1, key="let go")):
                break
            async with asyncio.timeout(5):
                while len(tidied) < 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert set(tidied) == {"deadline", "deadline, closed", "closed", "let go"}, transport


@pytest.mark.parametrize("name", ["upload", "converse"])
async def test_a_lost_connection_leaves_nothing_of_a_caller_who_has_more_to_say(name: str) -> None:
    before = asyncio.all_tasks()
    async with (
        wired("gRPC") as wiring,
        proxying(wiring.address) as proxy,
        open_channel(proxy.address, [CONFORMANCE]) as connection,
    ):
        stub = ConformanceStub(GrpcChannel(connection))
        key = new_key()

        async def requests() -> AsyncIterator[Chunk]:
            yield chunk(0, key=key)
            await asyncio.sleep(30)

        uploading = name == "upload"
        call = stub.upload(requests()) if uploading else collected(stub.converse(requests()))
        failing = asyncio.ensure_future(failure_of(call))
        await asyncio.sleep(0.2)
        assert proxy.cut() == 1
        assert (await failing).code is Code.UNAVAILABLE
        await noted(wiring.direct, key, f"{name}.ended")
    await nothing_left(before)


class BreaksMidway:
    """A client interceptor with a defect in the middle of a stream."""

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        return await proceed(request, call)

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        count = 0
        async for response in proceed(requests, call):
            yield response
            count += 1
            if count == 3:
                raise KeyError("midway")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_an_interceptor_of_the_caller_raises_midway_follows_the_responses(
    transport: str,
) -> None:
    key = new_key()
    async with wired(transport, client=(BreaksMidway(),)) as wiring:
        before, received = asyncio.all_tasks(), []

        async def read() -> None:
            async for each in wiring.stub.download(download(1_000_000, key=key)):
                received.append(each.number)  # noqa: PERF401

        with pytest.raises(KeyError, match="midway"):
            await read()
        assert received == [0, 1, 2]
        await noted(wiring.direct, key, "download.ended")
        await nothing_left(before)


async def test_a_conversation_with_pauses_keeps_its_order(wiring: Wiring) -> None:
    async def questions() -> AsyncIterator[Chunk]:
        for number in range(100):
            if number % 10 == 0:
                await asyncio.sleep(0.002)
            yield chunk(number)

    numbers = []
    begun = time.monotonic()
    async for answer in wiring.stub.converse(questions()):
        numbers.append(answer.number)
        if answer.number % 7 == 0:
            await asyncio.sleep(0.001)
    assert numbers == list(range(100))
    assert time.monotonic() - begun < 10


async def test_a_stream_inside_of_a_call_has_no_more_time_than_the_call(
    wiring: Wiring,
) -> None:
    class Nested(Conformance):
        def __init__(self, stub: ConformanceStub) -> None:
            super().__init__()
            self.stub = stub

        async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
            slow = DownloadRequest(count=2, size=1, pause=timedelta(seconds=30), key=request.key)
            async for each in self.stub.download(slow):
                yield each

    key = new_key()
    async with wired("by reference", handler=Nested(wiring.stub)) as outer:
        error = await failure_of(collected(outer.stub.download(download(1, key=key), timeout=0.3)))
        assert error.code is Code.DEADLINE_EXCEEDED
        await noted(wiring.direct, key, "download.ended")
