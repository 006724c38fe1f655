"""A request that is refused for one of its fields says over gRPC which, as Google's APIs do."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from conformance.v1 import conformance_pb2
from conformance.v1.conformance import WaitRequest
from conformance.v1.conformance_bus import CONFORMANCE_WAIT
from conformance.wiring import wired
from seam.bus import GrpcChannel, open_channel
from seam.bus.failures import outward
from seam.codec.status import STATUS_DETAILS_KEY, StatusCodec
from seam.contract.errors import Code, InvalidArgumentError, InvalidField, StatusError

NO_SPAN = conformance_pb2.WaitRequest(span=Duration(seconds=10**15)).SerializeToString()
"""A request whose span no contract allows: it is longer than ten thousand years."""


async def refused(payload: bytes) -> grpc.aio.AioRpcError:
    """The error with which a client that knows nothing of us is refused."""
    async with wired("gRPC") as wiring, grpc.aio.insecure_channel(wiring.address) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/{CONFORMANCE_WAIT.full_name}"
        )
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(payload)
    return raised.value


async def test_a_refused_field_is_named_in_a_bad_request() -> None:
    error = await refused(NO_SPAN)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = dict(error.trailing_metadata() or ())[STATUS_DETAILS_KEY]
    assert isinstance(details, bytes)
    status = Status.FromString(details)
    found = BadRequest()
    assert status.details[0].Unpack(found)
    assert [violation.field for violation in found.field_violations] == ["span"]
    assert found.field_violations[0].description in status.message


async def test_what_is_no_message_at_all_names_no_field() -> None:
    error = await refused(b"\xff\xff\xff")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_refused_field_comes_back_as_itself() -> None:
    codec = StatusCodec(CONFORMANCE_WAIT)
    sent = outward(InvalidArgumentError(InvalidField("span", "too long")), CONFORMANCE_WAIT)
    received = codec.unpack(codec.pack(sent))
    assert isinstance(received, InvalidArgumentError)
    assert (received.field.path, received.field.reason) == ("span", "too long")
    assert received.message == "span: too long"


def test_what_others_say_of_several_fields_is_told_in_their_words() -> None:
    status = Status(code=int(Code.INVALID_ARGUMENT), message="two are wrong")
    violation = BadRequest.FieldViolation
    status.details.add().Pack(
        BadRequest(field_violations=[violation(field="a"), violation(field="b")])
    )
    received = StatusCodec(CONFORMANCE_WAIT).unpack(status)
    assert type(received) is StatusError
    assert (received.code, received.message) == (Code.INVALID_ARGUMENT, "two are wrong")


@pytest.mark.parametrize("code", [0, 17, -1])
def test_a_code_that_is_no_failure_s_is_unknown(code: int) -> None:
    received = StatusCodec(CONFORMANCE_WAIT).unpack(Status(code=code, message="odd"))
    assert received.code is Code.UNKNOWN


async def test_a_record_that_cannot_be_written_is_refused_before_it_is_sent() -> None:
    async with wired("gRPC") as wiring, open_channel(wiring.address, []) as connection:
        call = GrpcChannel(connection).unary(CONFORMANCE_WAIT)
        request = WaitRequest(key="\ud800", in_background=False)
        with pytest.raises(InvalidField, match="key"):
            await call(request, None, None)
