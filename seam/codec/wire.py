"""What generated `_wire` modules are made of: codecs, and the values that need more than a copy.

The generated converters copy field by field. This module holds the rest: well-known types, enums,
and the search for the field at fault, which is paid for only when something is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from google.protobuf.message import DecodeError, Message

from seam.codec.invalid_field import WRONG_VALUE, find_invalid_field
from seam.codec.wellknown import (
    check_paths,
    duration_of,
    duration_parts,
    timestamp_of,
    timestamp_parts,
)
from seam.contract.errors import InvalidField
from seam.contract.records import OpenEnum, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from datetime import datetime, timedelta

    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.field_mask_pb2 import FieldMask
    from google.protobuf.internal.containers import RepeatedScalarFieldContainer
    from google.protobuf.timestamp_pb2 import Timestamp

__all__ = [
    "Codec",
    "EnumNumbers",
    "absent",
    "duration_fill",
    "duration_from_proto",
    "extend_numbers",
    "field_mask_fill",
    "field_mask_from_proto",
    "read_map",
    "read_one",
    "read_tuple",
    "timestamp_fill",
    "timestamp_from_proto",
    "update_numbers",
    "wrong_case",
]

R = TypeVar("R", bound=Record)
E = TypeVar("E", bound=OpenEnum)
K = TypeVar("K")
M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=int)
T = TypeVar("T")


class Codec(Generic[R]):
    """Turns one type of record into bytes and back.

    Args:
        record_type: the record's class.
        message_type: the Protocol Buffers class of the same message.
        to_proto: converts a record to a message.
        from_proto: converts a message to a record.
        check: checks a record against the rules of its contract; None when there are none.
    """

    __slots__ = (
        "check",
        "decode",
        "encode",
        "from_proto",
        "full_name",
        "message_type",
        "record_type",
        "to_proto",
    )

    full_name: str
    """The message's full name, such as `inventory.v1.Item`."""

    record_type: type[R]
    message_type: type[Message]

    to_proto: Callable[[R], Message]
    """Converts a record. For a wrong value it raises what protobuf does; `encode` says more."""

    from_proto: Callable[[Message], R]
    """Converts a message of `message_type`. Raises InvalidField, and TypeError for another type."""

    check: Callable[[R], None] | None
    """Checks a record against the rules of its contract; None when neither the message nor what it
    holds has any. Raises InvalidField. Reading and writing pay no heed to rules: who takes requests
    does."""

    encode: Callable[[R], bytes]
    """Serializes a record. Raises InvalidField, which names the field that holds a wrong value."""

    decode: Callable[[bytes], R]
    """Parses a record. Raises InvalidField when the bytes are no such message, or no valid one."""

    def __init__(
        self,
        record_type: type[R],
        message_type: type[M],
        to_proto: Callable[[R], M],
        from_proto: Callable[[M], R],
        check: Callable[[R], None] | None = None,
    ) -> None:
        full_name = message_type.DESCRIPTOR.full_name
        parse = message_type.FromString

        def encode(record: R) -> bytes:
            try:
                return to_proto(record).SerializeToString()
            except WRONG_VALUE as error:
                raise find_invalid_field(record, record_type, message_type, error) from error

        def decode(data: bytes) -> R:
            try:
                message = parse(data)
            except DecodeError as error:
                raise InvalidField("", f"the bytes are no {full_name}: {error}") from error
            return from_proto(message)

        def checked_from_proto(message: Message) -> R:
            if not isinstance(message, message_type):
                raise TypeError(f"expected a {full_name}, got {type(message).__name__}")
            return from_proto(message)

        self.full_name = full_name
        self.record_type = record_type
        self.message_type = message_type
        self.to_proto = to_proto
        self.from_proto = checked_from_proto
        self.check = check
        self.encode = encode
        self.decode = decode

    def __repr__(self) -> str:
        return f"Codec({self.full_name})"


class EnumNumbers(dict[int, E]):
    """The members of an enum by number; unknown numbers give unknown members.

    A dictionary, because it answers seven times faster than calling the enum.

    Args:
        enum: the enum.
    """

    def __init__(self, enum: type[E]) -> None:
        super().__init__((member.value, member) for member in enum)
        self._enum = enum

    def __missing__(self, number: int) -> E:
        return self._enum(number)


def extend_numbers(field: RepeatedScalarFieldContainer[N], values: Iterable[OpenEnum]) -> None:
    """Appends enum values to a repeated field of a message."""
    # The stubs type elements as a class of the enum's own, of which no instance can be made.
    field.extend(values)  # type: ignore[arg-type]


def update_numbers(field: MutableMapping[K, N], values: Mapping[K, OpenEnum]) -> None:
    """Put enum values into a map field of a message."""
    # As above.
    field.update(values)  # type: ignore[arg-type]


def absent(name: str) -> NoReturn:
    """Refuse a message that lacks a required field.

    Raises:
        InvalidField: always.
    """
    raise InvalidField(name, "required, but absent")


def wrong_case(name: str, value: object) -> NoReturn:
    """Refuse a value that is none of a oneof's cases.

    Raises:
        InvalidField: always.
    """
    raise InvalidField(name, f"expected a case of the oneof, got {type(value).__name__}")


def read_one(message: M, read: Callable[[M], T], name: str) -> T:
    """Read a message field whose type can be invalid.

    Raises:
        InvalidField: the value is invalid; the path begins with the field's name.
    """
    try:
        return read(message)
    except InvalidField as error:
        raise error.under(name) from None


def read_tuple(messages: Iterable[M], read: Callable[[M], T], name: str) -> tuple[T, ...]:
    """Read a repeated message field whose type can be invalid.

    Raises:
        InvalidField: an element is invalid; the path begins with the field's name and its index.
    """
    values: list[T] = []
    try:
        for message in messages:
            values.append(read(message))  # noqa: PERF401 (the length is the index at fault)
    except InvalidField as error:
        raise error.under(f"{name}[{len(values)}]") from None
    return tuple(values)


def read_map(messages: Mapping[K, M], read: Callable[[M], T], name: str) -> dict[K, T]:
    """Read a map field whose values can be invalid.

    Raises:
        InvalidField: a value is invalid; the path begins with the field's name and the key.
    """
    values: dict[K, T] = {}
    for key, message in messages.items():
        try:
            values[key] = read(message)
        except InvalidField as error:
            raise error.under(f"{name}[{key}]") from None
    return values


def timestamp_fill(message: Timestamp, value: datetime) -> None:
    """Write an instant, to the microsecond.

    Raises:
        InvalidField: the datetime is naive, so it names no instant; or its instant lies outside of
            the years 1 to 9999 in UTC.
    """
    seconds, microseconds = timestamp_parts(value)
    message.seconds = seconds
    message.nanos = microseconds * 1_000


def timestamp_from_proto(message: Timestamp) -> datetime:
    """Read an instant in UTC; what is finer than a microsecond is cut off.

    Raises:
        InvalidField: the instant lies outside of the years 1 to 9999, or nanos are out of range.
    """
    return timestamp_of(message.seconds, message.nanos)


def duration_fill(message: Duration, value: timedelta) -> None:
    """Write a span of time, to the microsecond.

    Raises:
        InvalidField: the span is longer than 10,000 years, the most that a Duration can hold.
    """
    sign, seconds, microseconds = duration_parts(value)
    message.seconds = sign * seconds
    message.nanos = sign * microseconds * 1_000


def duration_from_proto(message: Duration) -> timedelta:
    """Read a span of time; what is finer than a microsecond is cut off, towards zero.

    Raises:
        InvalidField: seconds or nanos are out of range, or their signs differ.
    """
    return duration_of(message.seconds, message.nanos)


def field_mask_fill(message: FieldMask, value: tuple[str, ...]) -> None:
    """Write the paths of a field mask.

    Raises:
        InvalidField: a path would be another after a turn through JSON.
    """
    # A mask without paths is there, too.
    message.SetInParent()
    message.paths.extend(check_paths(value))


def field_mask_from_proto(message: FieldMask) -> tuple[str, ...]:
    """Read the paths of a field mask.

    Raises:
        InvalidField: a path would be another after a turn through JSON.
    """
    return check_paths(tuple(message.paths))
