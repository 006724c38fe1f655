"""Errors on the wire: `google.rpc.Status`, with a typed error's record in its details.

Source: https://grpc.io/docs/guides/error/#richer-error-model and AIP-193.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.status_pb2 import Status

from seam.contract.descriptors import ErrorDescriptor, MethodDescriptor
from seam.contract.errors import Code, ContractError, InvalidField, StatusError

STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"
"""Key of the trailing metadata that carries the status message over gRPC."""

_TYPE_URL_PREFIX: Final = "type.googleapis.com/"


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
        """Make the status message of `error`; a declared typed error brings its record."""
        status = Status(code=int(error.code), message=error.message)
        declared = self._by_exception.get(type(error))
        if declared is not None and isinstance(error, ContractError):
            status.details.append(
                AnyMessage(
                    type_url=_TYPE_URL_PREFIX + error.name,
                    value=declared.codec.encode(error.record),
                )
            )
        return status

    def unpack(self, status: Status) -> StatusError:
        """Make the exception of a status message.

        Returns:
            The typed error when the status carries one that the method declares, as this side
            knows it; otherwise a plain `StatusError` with the same code and message.
        """
        for detail in status.details:
            declared = self._by_name.get(detail.type_url.rpartition("/")[2])
            if declared is None:
                continue
            try:
                return declared.exception(declared.codec.decode(detail.value))
            except InvalidField:
                continue
        return StatusError(Code(status.code), status.message)
