"""Codecs say which field is at fault, and well-known types keep what they can hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from seam.codec.wire import (
    Codec,
    EnumNumbers,
    absent,
    duration_fill,
    duration_from_proto,
    read_map,
    read_one,
    read_tuple,
    timestamp_fill,
    timestamp_from_proto,
    wrong_case,
)
from seam.contract.errors import InvalidField
from seam.contract.records import OpenEnum, Record


def _message_type() -> Any:
    """`wire.test.Line`, with a name, an amount and lines inside it."""
    file = FileDescriptorProto(name="wire_test.proto", package="wire.test", syntax="proto3")
    message = file.message_type.add(name="Line")
    kinds = FieldDescriptorProto
    message.field.add(name="name", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    message.field.add(name="amount", number=2, type=kinds.TYPE_INT32, label=kinds.LABEL_OPTIONAL)
    message.field.add(
        name="lines",
        number=3,
        type=kinds.TYPE_MESSAGE,
        type_name=".wire.test.Line",
        label=kinds.LABEL_REPEATED,
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("wire.test.Line"))


LineMessage = _message_type()


class Line(Record, kw_only=True):
    name: str
    amount: int
    lines: tuple[Line, ...]


def line_to_proto(record: Line) -> Any:
    message = LineMessage()
    message.name = record.name
    message.amount = record.amount
    message.lines.extend(map(line_to_proto, record.lines))
    return message


def line_from_proto(message: Any) -> Line:
    if message.amount < 0:
        raise InvalidField("amount", "too small")
    lines = read_tuple(message.lines, line_from_proto, "lines")
    return Line(name=message.name, amount=message.amount, lines=lines)


LINE = Codec(Line, LineMessage, line_to_proto, line_from_proto)


def line(**changes: Any) -> Line:
    return Line(**{"name": "a", "amount": 1, "lines": (), **changes})


def test_a_record_survives_the_wire() -> None:
    record = line(lines=(line(amount=2), line(name="")))
    assert LINE.decode(LINE.encode(record)) == record
    assert LINE.full_name == "wire.test.Line"


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (line(name=1), "name: 1 was refused: "),
        (line(name=None), "name: expected a value, got None"),
        (line(amount="1"), "amount: '1' was refused: "),
        (line(amount=2**31), "amount: 2147483648 was refused: Value out of range: 2147483648"),
        (line(amount=True), "amount: True was refused: "),
        (line(lines=(line(), line(name=1))), "lines[1].name: 1 was refused: "),
        (line(lines=(line(), None)), "lines[1]: expected a record of wire.test.Line, got NoneType"),
        (None, "expected Line, got NoneType"),
    ],
)
def test_what_cannot_be_written_is_refused_by_the_path_of_the_field(
    record: Any, complaint: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        LINE.encode(record)
    assert str(refused.value).startswith(complaint)


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(InvalidField, match=r"the bytes are no wire\.test\.Line"):
        LINE.decode(b"\xff")


def test_a_message_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a wire\.test\.Line, got Timestamp"):
        LINE.from_proto(Timestamp())


def test_what_is_no_valid_record_is_refused_by_its_path() -> None:
    bad = line(lines=(line(), line(lines=(line(amount=-1),))))
    with pytest.raises(InvalidField, match=r"^lines\[1\]\.lines\[0\]\.amount: too small$"):
        LINE.decode(LINE.encode(bad))


def test_readers_of_single_messages_and_maps_put_their_place_in_front() -> None:
    bad = LineMessage(amount=-1)
    with pytest.raises(InvalidField, match=r"^line\.amount: too small$"):
        read_one(bad, line_from_proto, "line")
    lines: Mapping[str, Any] = {"x": bad}
    with pytest.raises(InvalidField, match=r"^by_name\[x\]\.amount: too small$"):
        read_map(lines, line_from_proto, "by_name")


def test_absent_fields_and_wrong_cases_are_named() -> None:
    with pytest.raises(InvalidField, match=r"^price: required, but absent$"):
        absent("price")
    with pytest.raises(InvalidField, match=r"^payment: expected a case of the oneof, got int$"):
        wrong_case("payment", 1)


class Colour(OpenEnum):
    RED = 1


def test_enum_numbers_give_members_known_or_not() -> None:
    numbers = EnumNumbers(Colour)
    assert numbers[1] is Colour.RED
    assert numbers[9] == Colour(9)
    # An unknown number is not remembered.
    assert list(numbers) == [1]


def written(value: datetime) -> tuple[int, int]:
    message = Timestamp()
    timestamp_fill(message, value)
    return message.seconds, message.nanos


@pytest.mark.parametrize(
    "value",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(2024, 5, 31, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_an_instant_survives_the_wire_in_utc(value: datetime) -> None:
    seconds, nanos = written(value)
    found = timestamp_from_proto(Timestamp(seconds=seconds, nanos=nanos))
    assert found == value
    assert found.tzinfo is UTC


def test_nanoseconds_are_cut_off() -> None:
    found = timestamp_from_proto(Timestamp(seconds=-1, nanos=999_999_999))
    assert found == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(InvalidField, match="expected a datetime with a time zone"):
        written(datetime(2024, 5, 31))  # noqa: DTZ001 (that is the point)


def test_an_instant_after_the_year_9999_in_utc_is_refused() -> None:
    with pytest.raises(InvalidField, match="expected the years 1 to 9999"):
        written(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))


@pytest.mark.parametrize(("seconds", "nanos"), [(0, -1), (0, 10**9), (253402300800, 0)])
def test_an_invalid_timestamp_is_refused(seconds: int, nanos: int) -> None:
    with pytest.raises(InvalidField, match="no valid Timestamp"):
        timestamp_from_proto(Timestamp(seconds=seconds, nanos=nanos))


@pytest.mark.parametrize(
    ("value", "seconds", "nanos"),
    [
        (timedelta(), 0, 0),
        (timedelta(seconds=1.5), 1, 500_000_000),
        (timedelta(seconds=-1.5), -1, -500_000_000),
        (timedelta(microseconds=-1), 0, -1_000),
        (timedelta(seconds=315_576_000_000), 315_576_000_000, 0),
        (timedelta(seconds=315_576_000_000, microseconds=1), 315_576_000_000, 1_000),
    ],
)
def test_a_duration_has_one_sign_on_the_wire(value: timedelta, seconds: int, nanos: int) -> None:
    message = Duration()
    duration_fill(message, value)
    assert (message.seconds, message.nanos) == (seconds, nanos)
    assert duration_from_proto(message) == value


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(1, -1), (-1, 1), (0, 10**9), (315_576_000_001, 0), (-(2**63), 0)]
)
def test_an_invalid_duration_is_refused(seconds: int, nanos: int) -> None:
    with pytest.raises(InvalidField, match="no valid Duration"):
        duration_from_proto(Duration(seconds=seconds, nanos=nanos))


def test_a_duration_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidField, match="expected at most 315576000000 whole seconds"):
        duration_fill(Duration(), timedelta(seconds=315_576_000_001))
