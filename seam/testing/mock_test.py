from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    EchoRequest,
    EchoResponse,
    FailRequest,
    FailResponse,
    Failure,
    Refused,
    RefusedError,
    UploadResponse,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import (
    CONFORMANCE_ECHO,
    ConformanceStub,
    register_conformance,
)
from conformance.v1.conformance_mock import ConformanceMock
from seam.contract.errors import Code, StatusError
from seam.testing import MockMethod, strict_channel


@pytest.fixture
def mock() -> ConformanceMock:
    """A mock that does not know its answers yet."""
    return ConformanceMock()


@pytest.fixture
def stub(mock: ConformanceMock) -> ConformanceStub:
    """A stub that calls the mock."""
    return ConformanceStub(strict_channel(register_conformance(mock)))


DECLARED = FailRequest(failure=Failure.DECLARED)
EMPTY = FailRequest(failure=Failure.UNSPECIFIED)


async def test_every_call_is_answered_as_the_test_said(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.fail.returns(FailResponse())
    assert await stub.fail(DECLARED) == FailResponse()
    assert await stub.fail(DECLARED) == FailResponse()


async def test_what_was_asked_is_remembered_in_order(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.fail.returns(FailResponse())
    assert mock.fail.requests == []
    await stub.fail(DECLARED)
    await stub.fail(EMPTY)
    assert mock.fail.requests == [DECLARED, EMPTY]
    assert mock.wait.requests == []


async def test_a_declared_error_reaches_the_caller_with_its_record(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.fail.raises(RefusedError(Refused(reason="because")))
    with pytest.raises(RefusedError) as caught:
        await stub.fail(DECLARED)
    assert caught.value.record == Refused(reason="because")
    assert mock.fail.requests == [DECLARED]


async def test_a_status_reaches_the_caller(mock: ConformanceMock, stub: ConformanceStub) -> None:
    mock.wait.raises(StatusError(Code.UNAVAILABLE, "not now"))
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest(key="", in_background=False))
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "not now")


async def test_an_error_that_the_method_does_not_declare_arrives_as_it_would_from_the_real_service(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.wait.raises(RefusedError(Refused(reason="not declared here")))
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest(key="", in_background=False))
    assert caught.value.code is Code.INTERNAL


async def test_an_answer_can_depend_on_the_request(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    def answer(request: FailRequest) -> FailResponse:
        if request.failure is Failure.DECLARED:
            raise RefusedError(Refused(reason="because"))
        return FailResponse()

    mock.fail.answers(answer)
    assert await stub.fail(EMPTY) == FailResponse()
    with pytest.raises(RefusedError):
        await stub.fail(DECLARED)


async def test_an_answer_can_be_waited_for(mock: ConformanceMock, stub: ConformanceStub) -> None:
    asked = asyncio.Event()
    opened = asyncio.Event()

    async def answer(_: WaitRequest) -> WaitResponse:
        asked.set()
        await opened.wait()
        return WaitResponse(gave_up=False)

    mock.wait.answers(answer)
    call = asyncio.ensure_future(stub.wait(WaitRequest(key="", in_background=False), timeout=5))
    await asked.wait()
    assert not call.done()
    opened.set()
    assert await call == WaitResponse(gave_up=False)


async def test_the_deadline_of_the_contract_holds_for_a_mock_that_hangs(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    async def hang(_: WaitRequest) -> WaitResponse:
        await asyncio.Event().wait()
        return WaitResponse(gave_up=False)

    mock.wait.answers(hang)
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest(key="", in_background=False), timeout=0.01)
    assert caught.value.code is Code.DEADLINE_EXCEEDED


async def test_a_mock_can_be_told_another_answer(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.fail.raises(StatusError(Code.UNAVAILABLE, "not now"))
    with pytest.raises(StatusError):
        await stub.fail(DECLARED)
    mock.fail.returns(FailResponse())
    assert await stub.fail(DECLARED) == FailResponse()
    assert len(mock.fail.requests) == 2


async def test_a_method_that_was_told_nothing_says_which_one_was_called() -> None:
    method = MockMethod(CONFORMANCE_ECHO)
    with pytest.raises(AssertionError, match=r"conformance\.v1\.Conformance/Echo was called"):
        await method(EchoRequest())
    assert method.requests == [EchoRequest()]


async def test_records_pass_through_their_wire_form_so_a_wrong_type_does_not_slip_through(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.fail.returns(FailResponse())
    with pytest.raises((ValueError, StatusError)):
        await stub.fail(FailRequest(failure="declared"))  # type: ignore[arg-type]
    assert mock.fail.requests == []
    mock.echo.returns(EchoResponse(payload=7))  # type: ignore[arg-type]
    with pytest.raises(StatusError) as caught:
        await stub.echo(EchoRequest())
    assert caught.value.code is Code.INTERNAL


def test_one_contract_cannot_be_mocked_twice_on_one_channel(mock: ConformanceMock) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        strict_channel(register_conformance(mock), register_conformance(mock))


def chunk(number: int) -> Chunk:
    return Chunk(number=number, data=b"", stop=False, refuse=False, key="")


async def chunks(*numbers: int) -> AsyncIterator[Chunk]:
    for number in numbers:
        yield chunk(number)


DOWNLOAD = DownloadRequest(count=2, size=0, key="")


async def test_a_stream_of_responses_is_answered_as_the_test_said(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.download.returns(chunk(7), chunk(8))
    assert [each.number async for each in stub.download(DOWNLOAD)] == [7, 8]
    assert mock.download.requests == [DOWNLOAD]


async def test_a_stream_of_responses_can_fail_after_some(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    mock.download.raises(RefusedError(Refused(reason="enough")), after=(chunk(7),))
    responses = stub.download(DOWNLOAD)
    assert (await anext(responses)).number == 7
    with pytest.raises(RefusedError):
        await anext(responses)


async def test_streams_of_requests_are_remembered(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    answer = UploadResponse(count=2, size=0, in_order=True)
    mock.upload.returns(answer)
    assert await stub.upload(chunks(0, 1)) == answer
    assert [each.number for each in mock.upload.requests] == [0, 1]
    mock.upload.raises(StatusError(Code.UNAVAILABLE, "not now"))
    with pytest.raises(StatusError, match="not now"):
        await stub.upload(chunks(2))


async def test_a_conversation_is_answered_by_a_function(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    async def backwards(requests: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        async for each in requests:
            yield chunk(-each.number)

    mock.converse.answers(backwards)
    assert [each.number async for each in stub.converse(chunks(1, 2))] == [-1, -2]
    assert [each.number for each in mock.converse.requests] == [1, 2]


async def test_a_stream_that_was_told_nothing_says_which_one_was_called(
    mock: ConformanceMock, stub: ConformanceStub
) -> None:
    with pytest.raises(StatusError) as caught:
        await anext(stub.download(DOWNLOAD))
    assert caught.value.code is Code.INTERNAL
