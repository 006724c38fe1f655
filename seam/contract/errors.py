"""The errors that cross a seam: canonical status codes, typed errors of a contract, invalid values.

A handler raises the typed errors that its contract declares. Every transport carries them
unchanged: as `google.rpc.Status` with details over gRPC, as problem+json (RFC 9457) over HTTP, as
themselves in the process.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Code", "ContractError", "InvalidArgumentError", "InvalidField", "StatusError"]

R_co = TypeVar("R_co", bound=msgspec.Struct, covariant=True)


_LONGEST_NAME: Final = 100


class Code(IntEnum):
    """Canonical status codes.

    Source: google.rpc.Code, https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class StatusError(Exception):
    """A call ended with a canonical status other than OK.

    Args:
        code: the status.
        message: one sentence for a person. It leaves the process, so it holds nothing secret.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"


class ContractError(StatusError, Generic[R_co]):
    """A typed error that a contract declares; base of the generated exceptions.

    Args:
        record: what the contract says about the error; it travels with it.
    """

    name: ClassVar[str]
    """Full name of the error message, such as `inventory.v1.ItemNotFound`."""

    code: Code
    """The status that the contract maps the error to; a constant of each subclass."""

    text: ClassVar[str]
    """One sentence for a person, in which `{field}` stands for a field of the record."""

    retry_after_field: ClassVar[str] = ""
    """Field of the record that says after how many seconds to ask again; "" when none does."""

    def __init__(self, record: R_co) -> None:
        super().__init__(self.code, self.text.format_map(_Fields(record)))
        self.record = record

    @property
    def retry_after(self) -> int | None:
        """Seconds after which to ask again; None when the contract says nothing of it."""
        if not self.retry_after_field:
            return None
        seconds: int = getattr(self.record, self.retry_after_field)
        return max(0, seconds)

    def __reduce__(self) -> tuple[type[Self], tuple[R_co]]:
        """Pickle the record alone, from which the rest follows."""
        return type(self), (self.record,)


class InvalidField(ValueError):  # noqa: N818 (it reads as what it is)
    """A value is not what the contract asks for.

    Args:
        path: where the value stands, such as `lines[2].quantity`; empty for the message itself.
        reason: what was expected, and what was given instead.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def under(self, parent: str) -> InvalidField:
        """The same error seen from one level up, where the value stands at or below `parent`."""
        # Names come from the sender of the message; each level copies what is below.
        parent = parent if len(parent) <= _LONGEST_NAME else f"{parent[:_LONGEST_NAME]}…"
        if not self.path:
            return InvalidField(parent, self.reason)
        separator = "" if self.path.startswith("[") else "."
        return InvalidField(f"{parent}{separator}{self.path}", self.reason)


class InvalidArgumentError(StatusError):
    """A request was refused because of one of its fields.

    Args:
        field: where the value stands, and what was expected.
    """

    def __init__(self, field: InvalidField) -> None:
        super().__init__(Code.INVALID_ARGUMENT, str(field))
        self.field = field

    def __reduce__(self) -> tuple[type[Self], tuple[InvalidField]]:
        """Pickle the field alone, from which the rest follows."""
        return type(self), (self.field,)


class _Fields(dict[str, object]):
    """Looks the fields of a record up by name, for `str.format_map`."""

    def __init__(self, record: msgspec.Struct) -> None:
        super().__init__()
        self._record = record

    def __missing__(self, name: str) -> object:
        return getattr(self._record, name)
