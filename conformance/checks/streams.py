"""Calls with many requests, many responses, or both."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from conformance.check import check
from conformance.requests import (
    LONG,
    break_early,
    broken_at_once,
    broken_off,
    chunk,
    chunked,
    close_early,
    collected,
    download,
    endless,
    events,
    failure_of,
    leave_block_early,
    new_key,
    noted,
)
from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    Refused,
    RefusedError,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.contract.errors import Code, StatusError


@check
async def responses_arrive_in_order_and_end(stub: ConformanceStub) -> None:
    chunks = await collected(stub.download(download(500, size=10)))
    assert [chunk.number for chunk in chunks] == list(range(500))
    assert await collected(stub.download(download(0))) == []


@check
async def requests_arrive_in_order_and_end(stub: ConformanceStub) -> None:
    answer = await stub.upload(chunked(500, size=10))
    assert (answer.count, answer.size, answer.in_order) == (500, 5000, True)
    assert (await stub.upload(chunked(0))).count == 0


@check
async def a_conversation_takes_turns(stub: ConformanceStub) -> None:
    questions: asyncio.Queue[Chunk | None] = asyncio.Queue()

    async def asking() -> AsyncIterator[Chunk]:
        while (question := await questions.get()) is not None:
            yield question

    async with stub.converse(asking()) as answers:
        for number in range(20):
            questions.put_nowait(chunk(number))
            assert (await anext(answers)).number == number
        questions.put_nowait(None)
        assert await anext(answers, None) is None


@check
async def a_call_with_streams_begins_when_it_is_made(stub: ConformanceStub) -> None:
    key = new_key()
    async with stub.download(download(3, key=key)):
        await noted(stub, key, "download.sent")


@check
async def an_error_comes_after_the_responses_before_it(stub: ConformanceStub) -> None:
    received: list[int] = []
    request = DownloadRequest(count=9, size=1, refuse_after=3, key="")
    try:
        async for each in stub.download(request):
            received.append(each.number)
    except RefusedError as error:
        assert error.record == Refused(reason="it was asked for")
    else:
        raise AssertionError("it did not fail")
    assert received == [0, 1, 2]


@check
async def a_stream_of_requests_can_be_refused(stub: ConformanceStub) -> None:
    error = await failure_of(stub.upload(chunked(5, refuse_at=2)))
    assert isinstance(error, RefusedError)
    error = await failure_of(collected(stub.converse(chunked(5, refuse_at=2))))
    assert isinstance(error, RefusedError)


@check
async def a_handler_may_answer_before_it_has_read_all_requests(stub: ConformanceStub) -> None:
    answer = await stub.upload(chunked(1_000_000, stop_at=4))
    assert answer.count == 5
    numbers = [each.number for each in await collected(stub.converse(endless(stop_at=4)))]
    assert numbers == [0, 1, 2, 3, 4]


@check
async def a_caller_may_stop_reading(stub: ConformanceStub) -> None:
    for leave in (close_early, break_early, leave_block_early):
        key = new_key()
        await leave(stub, download(1_000_000, key=key))
        await noted(stub, key, "download.ended")


@check
async def a_caller_that_is_cancelled_ends_its_stream(stub: ConformanceStub) -> None:
    key = new_key()

    async def read() -> None:
        async for _ in stub.download(DownloadRequest(count=5, size=1, pause=LONG, key=key)):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    await noted(stub, key, "download.ended")


@check
async def a_stream_ends_with_its_time(stub: ConformanceStub) -> None:
    key = new_key()
    request = DownloadRequest(count=5, size=1, pause=LONG, key=key)
    error = await failure_of(collected(stub.download(request, timeout=0.3)))
    assert error.code is Code.DEADLINE_EXCEEDED
    await noted(stub, key, "download.ended")

    async def silent() -> AsyncIterator[Chunk]:
        yield chunk(0, key=key)
        await asyncio.sleep(LONG.total_seconds())

    error = await failure_of(stub.upload(silent(), timeout=0.3))
    assert error.code is Code.DEADLINE_EXCEEDED
    await noted(stub, key, "upload.ended")


@check
async def a_slow_reader_stops_a_fast_writer(stub: ConformanceStub) -> None:
    key = new_key()
    async with stub.download(download(2_000, size=100_000, key=key)) as chunks:
        await anext(chunks)
        before = -1
        while before != (before := (await events(stub, key))["download.sent"]):
            await asyncio.sleep(0.3)
        assert before < 1_000, f"{before} chunks were made for a reader who read one"


@check
async def a_slow_handler_stops_a_fast_caller(stub: ConformanceStub) -> None:
    made = 0

    async def requests() -> AsyncIterator[Chunk]:
        nonlocal made
        for number in range(2_000):
            made += 1
            yield chunk(number, size=100_000)

    async with stub.converse(requests()) as answers:
        await anext(answers)
        before = -1
        while before != (before := made):
            await asyncio.sleep(0.3)
        assert before < 1_500, f"{before} requests were made for answers that nobody read"


@check
async def what_the_caller_s_own_requests_raise_comes_back_to_it(stub: ConformanceStub) -> None:
    key = new_key()

    async def broken() -> AsyncIterator[Chunk]:
        yield chunk(0, key=key)
        await noted(stub, key, "upload.received")
        raise KeyError("the caller's own")

    for call in (stub.upload(broken()), collected(stub.converse(broken_at_once()))):
        try:
            await call
        except KeyError:
            continue
        raise AssertionError("it did not come back")
    await noted(stub, key, "upload.ended")


@check
async def requests_that_broke_off_are_never_taken_for_all(stub: ConformanceStub) -> None:
    async def raises(key: str) -> AsyncIterator[Chunk]:
        async for each in broken_off(timedelta(), key=key):
            yield each
        await noted(stub, key, "upload.received")
        raise KeyError("the caller's own")

    async def is_late(key: str) -> None:
        limit = random.uniform(0.02, 0.1)  # noqa: S311
        await stub.upload(broken_off(LONG, key=key), timeout=limit)

    async def is_cancelled(key: str) -> None:
        call = asyncio.ensure_future(stub.upload(broken_off(LONG, key=key)))
        await noted(stub, key, "upload.received")
        call.cancel()
        await call

    async def fails(key: str) -> None:
        await stub.upload(raises(key))

    async def breaks_off(way: Callable[[str], Awaitable[None]]) -> None:
        key = new_key()
        try:
            await way(key)
        except (KeyError, StatusError, asyncio.CancelledError):
            keys.append(key)
        else:
            raise AssertionError("the call went well")

    keys: list[str] = []
    for _ in range(10):
        ways = (is_late, is_cancelled, fails) * 3
        await asyncio.gather(*(breaks_off(way) for way in ways))
    for key in keys:
        found = await events(stub, key)
        if "upload.received" in found:
            await noted(stub, key, "upload.ended")
        assert "upload.completed" not in await events(stub, key)


@check
async def requests_that_end_are_all_however_few(stub: ConformanceStub) -> None:
    for count in (0, 1, 2):
        assert (await stub.upload(chunked(count))).count == count
        assert len(await collected(stub.converse(chunked(count)))) == count


@check
async def a_stream_has_one_reader_at_a_time(stub: ConformanceStub) -> None:
    request = download(3, pause=timedelta(seconds=0.3))
    async with stub.download(request) as chunks:
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        try:
            await anext(chunks)
        except RuntimeError:
            pass
        else:
            raise AssertionError("two readers were let in")
        assert (await first).number == 0
        assert [each.number async for each in chunks] == [1, 2]
