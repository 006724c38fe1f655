"""What goes wrong, as exceptions.

Source: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457; the canonical codes are those of
https://grpc.io/docs/guides/status-codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec

from contract_client.descriptors import InvalidJsonError, from_json
from contract_client.records import Record

__all__ = ["ApiError", "Code", "InvalidField", "TypedError", "error_of"]

R = TypeVar("R", bound=Record)


class Code(Enum):
    """What kind of error it is."""

    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DATA_LOSS = "DATA_LOSS"
    UNAUTHENTICATED = "UNAUTHENTICATED"


# Of answers that are no problem: somebody between has written them.
_CODE_OF_STATUS: Final = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    429: Code.RESOURCE_EXHAUSTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}


@dataclass(frozen=True)
class InvalidField:
    """A part of a request that is refused.

    Attributes:
        field: where it is, such as `items[2].price`.
        detail: what is wrong.
    """

    field: str
    detail: str


class ApiError(Exception):
    """A call has failed.

    Attributes:
        code: what kind of error it is.
        detail: what went wrong, for a person.
        status: the HTTP status; None when there was no answer.
        name: the error's name in the contract; empty for one without.
        invalid_fields: the parts of the request that are refused.
        retry_after: seconds after which another attempt makes sense, where the server says so.
        unsent: whether the request has not reached a server.
        is_final: whether the call must not be repeated, whatever its contract says.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        status: int | None = None,
        name: str = "",
        invalid_fields: tuple[InvalidField, ...] = (),
        retry_after: float | None = None,
        unsent: bool = False,
    ) -> None:
        super().__init__(f"{name or code.name}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.name = name
        self.invalid_fields = invalid_fields
        self.retry_after = retry_after
        self.unsent = unsent
        self.is_final = False


class TypedError(ApiError, Generic[R]):
    """Base of the errors that contracts declare.

    Attributes:
        record: what the error says.
    """

    contract_name: ClassVar[str]
    """The name of its message, without the package."""

    record_type: ClassVar[type[Record]]
    record: R


TypedErrors = tuple[type[TypedError[Any]], ...]


def error_of(
    status: int, body: bytes, declared: TypedErrors, retry_after: str | None = None
) -> ApiError:
    """The error that an answer stands for.

    Args:
        status: the HTTP status.
        body: what the server has sent.
        declared: the errors that the method declares.
        retry_after: the header `Retry-After`, seconds or a date.
    """
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    code = _code(problem.get("code"), status)
    seconds = None if retry_after is None else _seconds_of(retry_after)
    name = str(problem.get("error", ""))
    fields = problem.get("errors")
    error_type, record = _typed(name, problem.get("fields"), declared)
    error = error_type(
        code,
        str(problem.get("detail") or f"the server answered with status {status}"),
        status=status,
        name=name,
        retry_after=seconds,
        invalid_fields=tuple(
            InvalidField(str(each.get("field", "")), str(each.get("detail", "")))
            for each in (fields if isinstance(fields, list) else [])
            if isinstance(each, Mapping)
        ),
    )
    if isinstance(error, TypedError):
        error.record = record
    return error


def _seconds_of(retry_after: str) -> float | None:
    """Seconds until another attempt makes sense; None for what says nothing.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3.
    """
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((at.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _typed(name: str, fields: object, declared: TypedErrors) -> tuple[type[ApiError], Any]:
    for each in declared:
        if each.contract_name == name:
            try:
                return each, from_json(each.record_type, fields)
            except InvalidJsonError:
                break
    return ApiError, None


def _code(stated: object, status: int) -> Code:
    try:
        return Code(stated)
    except ValueError:
        pass
    otherwise = Code.INTERNAL if status >= 500 else Code.UNKNOWN
    return _CODE_OF_STATUS.get(status, otherwise)
