"""What every transport, and every service that is called over one, must let be seen.

Each check is a function of a stub. It fails by an exception, whose text says what was expected. The
checks use keys of their own in the service, so they can be run again and side by side.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from conformance.v1.conformance import (
    AddRequest,
    Chunk,
    Colour,
    DownloadRequest,
    EchoRequest,
    FailRequest,
    Failure,
    IncludeRequest,
    JournalRequest,
    ObserveRequest,
    Payload,
    PayloadChoiceWord,
    Refused,
    RefusedError,
    RelayRequest,
    WaitRequest,
)
from conformance.v1.conformance_bus import ConformanceStub

from seam.conformance.handler import TENANT, visible
from seam.context import Metadata, acting
from seam.errors import Code, InvalidField, StatusError

Check = Callable[[ConformanceStub], Awaitable[None]]

CHECKS: Final[list[Check]] = []
"""All checks, in the order of this file."""

LONG: Final = timedelta(seconds=30)
PATIENCE: Final = 10.0
"""Seconds in which something that happens elsewhere must have happened."""

PAYLOAD: Final = Payload(
    text="grüße",
    large=2**62 + 1,
    fraction=0.1,
    data=b"\x00\xff",
    parts=(
        Payload(text="", large=0, fraction=0.0, data=b"", parts=(), counts={}, colour=Colour(77)),
    ),
    counts={"one": 1},
    at=datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=UTC),
    span=timedelta(seconds=-1, microseconds=5),
    colour=Colour.RED,
    choice=PayloadChoiceWord("yes"),
)


def check(function: Check) -> Check:
    """Add a check to the suite."""
    CHECKS.append(function)
    return function


@check
async def every_shape_of_value_arrives_as_it_was_sent(stub: ConformanceStub) -> None:
    answer = await stub.echo(EchoRequest(payload=PAYLOAD))
    assert answer.payload == PAYLOAD
    assert (await stub.echo(EchoRequest())).payload is None


@check
async def many_calls_at_once_keep_their_answers_apart(stub: ConformanceStub) -> None:
    async def one(number: int) -> bool:
        payload = Payload(
            text=str(number),
            large=number,
            fraction=0.0,
            data=b"",
            parts=(),
            counts={},
            colour=Colour.UNSPECIFIED,
        )
        answer = await stub.echo(EchoRequest(payload=payload))
        return answer.payload == payload

    assert all(await asyncio.gather(*(one(number) for number in range(200))))


@check
async def a_declared_error_arrives_as_itself_with_its_record(stub: ConformanceStub) -> None:
    error = await failure_of(stub.fail(FailRequest(failure=Failure.DECLARED)))
    assert isinstance(error, RefusedError), error
    assert error.record == Refused(reason="it was asked for")
    assert error.code is Code.FAILED_PRECONDITION
    assert error.message == "Refused, because it was asked for."
    assert error.__cause__ is None


@check
async def a_plain_status_arrives_with_code_and_message(stub: ConformanceStub) -> None:
    error = await failure_of(stub.fail(FailRequest(failure=Failure.STATUS)))
    assert type(error) is StatusError
    assert (error.code, error.message) == (Code.RESOURCE_EXHAUSTED, "no more of it")


@check
async def an_exception_that_nobody_expects_is_internal_and_keeps_its_text(
    stub: ConformanceStub,
) -> None:
    for failure in (Failure.UNEXPECTED, Failure.UNDECLARED):
        error = await failure_of(stub.fail(FailRequest(failure=failure)))
        assert type(error) is StatusError
        assert error.code is Code.INTERNAL
        assert "swordfish" not in error.message


@check
async def the_contract_limits_a_call_that_sets_no_limit(stub: ConformanceStub) -> None:
    begun = time.monotonic()
    error = await failure_of(stub.wait(waiting(LONG)))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert error.message == "conformance.v1.Conformance/Wait exceeded its deadline"
    assert time.monotonic() - begun < PATIENCE


@check
async def a_caller_may_set_a_limit_of_its_own(stub: ConformanceStub) -> None:
    await stub.wait(waiting(timedelta(seconds=0.5)), timeout=20)
    error = await failure_of(stub.wait(waiting(LONG), timeout=0.05))
    assert error.code is Code.DEADLINE_EXCEEDED


@check
async def a_limit_of_zero_ends_a_call_before_it_begins(stub: ConformanceStub) -> None:
    key = new_key()
    error = await failure_of(stub.wait(waiting(timedelta(), key), timeout=0))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert await events(stub, key) == {}


@check
async def a_handler_and_all_it_started_end_with_the_call_s_time(stub: ConformanceStub) -> None:
    key = new_key()
    await failure_of(stub.wait(waiting(LONG, key, in_background=True), timeout=0.1))
    await noted(stub, key, "wait.cancelled")
    await noted(stub, key, "background.cancelled")


@check
async def a_handler_and_all_it_started_end_with_their_caller(stub: ConformanceStub) -> None:
    key = new_key()
    call = asyncio.ensure_future(stub.wait(waiting(LONG, key, in_background=True), timeout=30))
    await noted(stub, key, "wait.begun")
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    await noted(stub, key, "wait.cancelled")
    await noted(stub, key, "background.cancelled")


@check
async def a_handler_sees_how_much_time_its_call_has_left(stub: ConformanceStub) -> None:
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False), timeout=2)
    assert seen.remaining is not None
    # gRPC rounds what is left up, by a few hundredths.
    assert timedelta(seconds=1) < seen.remaining < timedelta(seconds=2.1)


@check
async def a_chain_of_calls_has_no_more_time_than_its_first(stub: ConformanceStub) -> None:
    key, begun = new_key(), time.monotonic()
    request = RelayRequest(span=LONG, limit=LONG, depth=2, key=key)
    error = await failure_of(stub.relay(request, timeout=0.5))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < PATIENCE
    await noted(stub, key, "wait.cancelled")


@check
async def a_call_inside_of_a_call_may_have_less_time(stub: ConformanceStub) -> None:
    request = RelayRequest(span=LONG, limit=timedelta(seconds=0.2), depth=0, key="")
    answer = await stub.relay(request)
    assert answer.code == Code.DEADLINE_EXCEEDED


@check
async def what_travels_with_a_call_travels_down_a_chain(stub: ConformanceStub) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with acting(principal="Zoë <zoe@example.org>", trace=trace, baggage={TENANT: "a, b; c=d"}):
        answer = await stub.relay(RelayRequest(span=None, limit=None, depth=2, key=""))
    assert answer.innermost is not None
    assert answer.innermost.trace == trace
    assert answer.innermost.principal == "Zoë <zoe@example.org>"
    assert answer.innermost.tenant == "a, b; c=d"
    alone = await stub.observe(ObserveRequest(respond={}, refuse=False))
    assert (alone.trace, alone.principal, alone.tenant) == ("", "", "")


@check
async def context_variables_stay_on_their_side(stub: ConformanceStub) -> None:
    token = visible.set("set by the caller")
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False))
    assert seen.context_variable == ""
    assert visible.get() == "set by the caller"
    visible.reset(token)


@check
async def metadata_arrives_and_is_not_passed_on(stub: ConformanceStub) -> None:
    sent = Metadata({"x-text": "some text", "x-data-bin": b"\x00\xff"})
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False), metadata=sent)
    assert seen.metadata == {"x-text": "some text"}
    assert seen.binary_metadata == {"x-data-bin": b"\x00\xff"}
    request = RelayRequest(span=None, limit=None, depth=0, key="")
    answer = await stub.relay(request, metadata=Metadata({"x-text": "some text"}))
    assert answer.innermost is not None
    assert answer.innermost.metadata == {}


@check
async def a_callee_answers_with_metadata_also_when_it_fails(stub: ConformanceStub) -> None:
    for refuse in (False, True):
        metadata = Metadata()
        call = stub.observe(
            ObserveRequest(respond={"x-served-by": "me"}, refuse=refuse), metadata=metadata
        )
        if refuse:
            assert isinstance(await failure_of(call), RefusedError)
        else:
            await call
        assert metadata.received == {"x-served-by": "me"}


@check
async def metadata_that_cannot_travel_is_refused_at_once(stub: ConformanceStub) -> None:
    del stub
    for key, value in (
        ("X-Upper", "a"),
        ("x-data-bin", "text"),
        ("x-text", b"bytes"),
        ("x-text", "grüße"),
        ("grpc-timeout", "1S"),
        ("", "a"),
    ):
        try:
            Metadata({key: value})
        except InvalidField:
            continue
        raise AssertionError(f"{key}: {value!r} was accepted")


@check
async def a_method_that_may_be_called_twice_may_be_called_twice(stub: ConformanceStub) -> None:
    key = new_key()
    sizes = [
        (await stub.include(IncludeRequest(key=key, name=name))).size
        for name in ("a", "a", "b", "b")
    ]
    assert sizes == [1, 1, 2, 2]
    assert await events(stub, key) == {"include": 4}
    echoed = [await stub.echo(EchoRequest(payload=PAYLOAD)) for _ in range(2)]
    assert echoed[0] == echoed[1]
    await asyncio.gather(*(stub.wait(waiting(timedelta())) for _ in range(2)))
    chunks = [[c async for c in stub.download(download(3, size=5))] for _ in range(2)]
    assert chunks[0] == chunks[1]


@check
async def every_call_of_a_method_counts_once(stub: ConformanceStub) -> None:
    key = new_key()
    numbers = [(await stub.add(AddRequest(key=key))).number for _ in range(3)]
    assert numbers == [1, 2, 3]


@check
async def a_message_that_is_too_large_is_refused(stub: ConformanceStub) -> None:
    chunks = stub.download(download(1, size=5 * 2**20))
    assert (await failure_of(collected(chunks))).code is Code.RESOURCE_EXHAUSTED
    assert len(await collected(stub.download(download(1, size=3 * 2**20)))) == 1


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


async def collected(chunks: AsyncIterator[Chunk]) -> list[Chunk]:
    """All chunks of a stream."""
    return [each async for each in chunks]


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


def download(count: int, *, size: int = 1, key: str = "") -> DownloadRequest:
    """A request for chunks."""
    return DownloadRequest(count=count, size=size, key=key)


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
