"""Errors on the wire: `google.rpc.Status`, with a typed error's record in its details.

Source: https://grpc.io/docs/guides/error/#richer-error-model and AIP-193.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from seam.codec.error_size import fitting_text
from seam.contract.descriptors import ErrorDescriptor, MethodDescriptor
from seam.contract.errors import (
    Code,
    ContractError,
    InvalidArgumentError,
    InvalidField,
    StatusError,
)

STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"
"""Key of the trailing metadata that carries the status message over gRPC."""

_TYPE_URL_PREFIX: Final = "type.googleapis.com/"

_LONGEST_DELAY: Final = 315_576_000_000
"""Seconds that a `google.protobuf.Duration` holds."""

_BAD_REQUEST: Final = BadRequest.DESCRIPTOR.full_name


class StatusCodec:
    """Packs the errors that one method may answer with, and unpacks them."""

    __slots__ = ("_by_exception", "_by_name")

    def __init__(self, method: MethodDescriptor[Any, Any]) -> None:
        """Prepare for the declared errors of `method`."""
        self._by_exception: dict[type[StatusError], ErrorDescriptor[Any]] = {
            error.exception: error for error in method.errors
        }
        self._by_name = {error.exception.name: error for error in method.errors}

    def pack(self, error: StatusError) -> Status:
        """Make the status message of `error`.

        A declared typed error brings its record, and a `google.rpc.RetryInfo` if it says when to
        ask again; a refused field a `google.rpc.BadRequest`.
        """
        status = Status(code=int(error.code), message=error.message)
        declared = self._by_exception.get(type(error))
        if declared is not None and isinstance(error, ContractError):
            status.details.append(
                AnyMessage(
                    type_url=_TYPE_URL_PREFIX + error.name,
                    value=declared.codec.encode(error.record),
                )
            )
            if error.retry_after is not None:
                seconds = min(error.retry_after, _LONGEST_DELAY)
                status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
        elif isinstance(error, InvalidArgumentError):
            violation = BadRequest.FieldViolation(
                field=error.field.path, description=fitting_text(error.field.reason)
            )
            status.details.add().Pack(BadRequest(field_violations=[violation]))
        return status

    def unpack(self, status: Status) -> StatusError:
        """Make the exception of a status message.

        Returns:
            The typed error when the status carries one that the method declares, as this side
            knows it; otherwise a plain `StatusError` with the same code and message.
        """
        for detail in status.details:
            name = detail.type_url.rpartition("/")[2]
            if name == _BAD_REQUEST and status.code == Code.INVALID_ARGUMENT:
                return _invalid_argument(status.message, detail.value)
            declared = self._by_name.get(name)
            if declared is None:
                continue
            try:
                return declared.exception(declared.codec.decode(detail.value))
            except InvalidField:
                continue
        try:
            code = Code(status.code)
        except ValueError:
            code = Code.UNKNOWN
        if code is Code.OK:
            code = Code.UNKNOWN
        return StatusError(code, status.message)


def _invalid_argument(message: str, payload: bytes) -> StatusError:
    try:
        violations = BadRequest.FromString(payload).field_violations
    except DecodeError:
        violations = []
    # Others may name several fields: their text then speaks for all of them.
    if len(violations) != 1:
        return StatusError(Code.INVALID_ARGUMENT, message)
    return InvalidArgumentError(InvalidField(violations[0].field, violations[0].description))
