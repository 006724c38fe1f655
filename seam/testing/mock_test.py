from __future__ import annotations

import asyncio

import pytest
from conformance.v1.conformance import (
    EchoRequest,
    EchoResponse,
    FailRequest,
    FailResponse,
    Failure,
    Refused,
    RefusedError,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import (
    CONFORMANCE_ECHO,
    CONFORMANCE_FAIL,
    CONFORMANCE_OBSERVE,
    CONFORMANCE_RELAY,
    CONFORMANCE_WAIT,
    ConformanceStub,
    bind_conformance,
)

from seam.errors import Code, StatusError
from seam.testing import MockMethod, mock_channel


class Mock:
    """What a generated mock consists of."""

    def __init__(self) -> None:
        self.echo = MockMethod(CONFORMANCE_ECHO)
        self.fail = MockMethod(CONFORMANCE_FAIL)
        self.wait = MockMethod(CONFORMANCE_WAIT)
        self.observe = MockMethod(CONFORMANCE_OBSERVE)
        self.relay = MockMethod(CONFORMANCE_RELAY)


@pytest.fixture
def mock() -> Mock:
    """A mock that does not know its answers yet."""
    return Mock()


@pytest.fixture
def stub(mock: Mock) -> ConformanceStub:
    """A stub that calls the mock."""
    return ConformanceStub(mock_channel(bind_conformance(mock)))


DECLARED = FailRequest(failure=Failure.DECLARED)
NOTHING = FailRequest(failure=Failure.UNSPECIFIED)


async def test_every_call_is_answered_as_the_test_said(mock: Mock, stub: ConformanceStub) -> None:
    mock.fail.returns(FailResponse())
    assert await stub.fail(DECLARED) == FailResponse()
    assert await stub.fail(DECLARED) == FailResponse()


async def test_what_was_asked_is_remembered_in_order(mock: Mock, stub: ConformanceStub) -> None:
    mock.fail.returns(FailResponse())
    assert mock.fail.requests == []
    await stub.fail(DECLARED)
    await stub.fail(NOTHING)
    assert mock.fail.requests == [DECLARED, NOTHING]
    assert mock.wait.requests == []


async def test_a_declared_error_reaches_the_caller_with_its_record(
    mock: Mock, stub: ConformanceStub
) -> None:
    mock.fail.raises(RefusedError(Refused(reason="because")))
    with pytest.raises(RefusedError) as caught:
        await stub.fail(DECLARED)
    assert caught.value.record == Refused(reason="because")
    assert mock.fail.requests == [DECLARED]


async def test_a_status_reaches_the_caller(mock: Mock, stub: ConformanceStub) -> None:
    mock.wait.raises(StatusError(Code.UNAVAILABLE, "not now"))
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest())
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "not now")


async def test_an_error_that_the_method_does_not_declare_arrives_as_it_would_from_the_real_service(
    mock: Mock, stub: ConformanceStub
) -> None:
    mock.wait.raises(RefusedError(Refused(reason="not declared here")))
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest())
    assert caught.value.code is Code.INTERNAL


async def test_an_answer_can_depend_on_the_request(mock: Mock, stub: ConformanceStub) -> None:
    def answer(request: FailRequest) -> FailResponse:
        if request.failure is Failure.DECLARED:
            raise RefusedError(Refused(reason="because"))
        return FailResponse()

    mock.fail.answers(answer)
    assert await stub.fail(NOTHING) == FailResponse()
    with pytest.raises(RefusedError):
        await stub.fail(DECLARED)


async def test_an_answer_can_be_waited_for(mock: Mock, stub: ConformanceStub) -> None:
    asked = asyncio.Event()
    opened = asyncio.Event()

    async def answer(_: WaitRequest) -> WaitResponse:
        asked.set()
        await opened.wait()
        return WaitResponse()

    mock.wait.answers(answer)
    call = asyncio.ensure_future(stub.wait(WaitRequest(), timeout=5))
    await asked.wait()
    assert not call.done()
    opened.set()
    assert await call == WaitResponse()


async def test_the_deadline_of_the_contract_holds_for_a_mock_that_hangs(
    mock: Mock, stub: ConformanceStub
) -> None:
    async def hang(_: WaitRequest) -> WaitResponse:
        await asyncio.Event().wait()
        return WaitResponse()

    mock.wait.answers(hang)
    with pytest.raises(StatusError) as caught:
        await stub.wait(WaitRequest(), timeout=0.01)
    assert caught.value.code is Code.DEADLINE_EXCEEDED


async def test_a_mock_can_be_told_another_answer(mock: Mock, stub: ConformanceStub) -> None:
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
    mock: Mock, stub: ConformanceStub
) -> None:
    mock.fail.returns(FailResponse())
    with pytest.raises((ValueError, StatusError)):
        await stub.fail(FailRequest(failure="declared"))  # type: ignore[arg-type]
    assert mock.fail.requests == []
    mock.echo.returns(EchoResponse(payload=7))  # type: ignore[arg-type]
    with pytest.raises(StatusError) as caught:
        await stub.echo(EchoRequest())
    assert caught.value.code is Code.INTERNAL


def test_one_contract_cannot_be_mocked_twice_on_one_channel(mock: Mock) -> None:
    with pytest.raises(ValueError, match="bound twice"):
        mock_channel(bind_conformance(mock), bind_conformance(mock))
