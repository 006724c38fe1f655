"""What comes back from a call: values, errors, and how often a handler runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import structs

from conformance.check import check
from conformance.handler import STATUSES
from conformance.requests import (
    PATIENCE,
    chunk,
    collected,
    download,
    events,
    failure_of,
    new_key,
    waiting,
)
from conformance.v1.conformance import (
    AddRequest,
    Colour,
    DownloadRequest,
    EchoRequest,
    FailRequest,
    Failure,
    IncludeRequest,
    Payload,
    PayloadChoiceWord,
    Refused,
    RefusedError,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.bus.streams import once
from seam.contract.errors import Code, StatusError

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
async def a_status_of_the_handler_s_own_keeps_its_text(stub: ConformanceStub) -> None:
    for failure in (Failure.LATE, Failure.UNIMPLEMENTED):
        error = await failure_of(stub.fail(FailRequest(failure=failure)))
        assert type(error) is StatusError
        assert (error.code, error.message) == STATUSES[failure]


@check
async def the_text_of_a_status_is_unicode_and_of_bounded_length(stub: ConformanceStub) -> None:
    error = await failure_of(stub.fail(FailRequest(failure=Failure.NO_UNICODE)))
    assert error.message == "half of ? a pair, and a whole one: \U0001f600"
    error = await failure_of(stub.fail(FailRequest(failure=Failure.LONG_TEXT)))
    assert error.code is Code.ABORTED
    assert error.message == "ü" * 510 + "…"


@check
async def an_error_that_repeats_too_much_is_cut_and_stays_what_it_is(stub: ConformanceStub) -> None:
    error = await failure_of(stub.fail(FailRequest(failure=Failure.LARGE_RECORD)))
    assert isinstance(error, RefusedError)
    assert error.record == Refused(reason="ü" * 199 + "…")


@check
async def a_handler_that_cancels_itself_is_answered_as_cancelled(stub: ConformanceStub) -> None:
    async with asyncio.timeout(PATIENCE):
        error = await failure_of(stub.fail(FailRequest(failure=Failure.CANCELLED_ITSELF)))
    assert error.code is Code.CANCELLED


@check
async def a_handler_of_a_stream_fails_as_any_other(stub: ConformanceStub) -> None:
    codes = {
        Failure.CANCELLED_ITSELF: Code.CANCELLED,
        Failure.CANCELLED_TASK: Code.INTERNAL,
        Failure.CONTROL_FLOW: Code.INTERNAL,
        Failure.UNEXPECTED: Code.INTERNAL,
        Failure.OK: Code.INTERNAL,
        Failure.LATE: Code.DEADLINE_EXCEEDED,
    }
    for failure, code in codes.items():
        request = DownloadRequest(count=2, size=1, key="", failure=failure)
        failing = structs.replace(chunk(0), failure=failure)
        for call in (
            collected(stub.download(request)),
            stub.upload(once(failing)),
            collected(stub.converse(once(failing))),
        ):
            async with asyncio.timeout(PATIENCE):
                error = await failure_of(call)
            assert type(error) is StatusError
            assert error.code is code
            assert "swordfish" not in error.message
            if failure is Failure.CANCELLED_ITSELF:
                assert error.message.endswith(" cancelled itself")


@check
async def thousands_of_calls_at_once_are_all_answered(stub: ConformanceStub) -> None:
    calls = (stub.echo(EchoRequest(), timeout=30) for _ in range(3_000))
    answers = await asyncio.gather(*calls)
    assert all(answer.payload is None for answer in answers)


@check
async def an_exception_that_nobody_expects_is_internal_and_keeps_its_text(
    stub: ConformanceStub,
) -> None:
    for failure in (
        Failure.UNEXPECTED,
        Failure.UNDECLARED,
        Failure.CONTROL_FLOW,
        Failure.CANCELLED_TASK,
        Failure.OK,
    ):
        async with asyncio.timeout(PATIENCE):
            error = await failure_of(stub.fail(FailRequest(failure=failure)))
        assert type(error) is StatusError
        assert error.code is Code.INTERNAL
        assert "swordfish" not in error.message


@check
async def a_handler_s_own_cancellation_is_no_cancellation_of_its_caller(
    stub: ConformanceStub,
) -> None:
    failed: list[StatusError] = []

    async def call() -> None:
        request = FailRequest(failure=Failure.CANCELLED_TASK)
        failed.append(await failure_of(stub.fail(request)))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(call())
    assert [error.code for error in failed] == [Code.INTERNAL] * 3


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
