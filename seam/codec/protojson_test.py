"""Single values in ProtoJSON, against its text and against json_format.

`codegen/python/roundtrip_test.py` compares whole messages.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format, wrappers_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from seam.codec import protojson as pj
from seam.codec.protojson import read_duration, read_timestamp, write_duration, write_timestamp
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable

READERS: list[tuple[type[Any], Callable[[object], object]]] = [
    (wrappers_pb2.Int32Value, pj.read_int32),
    (wrappers_pb2.Int64Value, pj.read_int64),
    (wrappers_pb2.UInt32Value, pj.read_uint32),
    (wrappers_pb2.UInt64Value, pj.read_uint64),
    (wrappers_pb2.FloatValue, pj.read_float),
    (wrappers_pb2.DoubleValue, pj.read_double),
    (wrappers_pb2.BoolValue, pj.read_bool),
    (wrappers_pb2.StringValue, pj.read_string),
    (wrappers_pb2.BytesValue, pj.read_bytes),
]

SPELLINGS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**65), 2**65).map(str),
    st.floats(),
    # json_format reads large integers through floats.
    st.floats(-(2.0**53), 2.0**53).map(str),
    # Up to the largest float, and beyond what is rounded to it, which json_format refuses.
    st.floats(3.4028234e38, (2 - 2**-23) * 2.0**127),
    st.floats(3.4028236e38, 3.5e38),
    st.text(max_size=6),
    st.text("0123456789.eE+-_ \n", max_size=8),
    st.text("aZ09+/-_=", max_size=8),
    st.sampled_from(["NaN", "nan", "Infinity", "-Infinity", "inf", "\ud800", "\ud83d\ude00", "٣"]),
    st.just([]),
    st.just({}),
)


def accepted(read: Callable[[object], object], value: object) -> object:
    """What a reader makes of a value, as text that tells NaN, -0.0 and types apart."""
    try:
        return repr(read(value))
    except InvalidField:
        return "refused"


@pytest.mark.parametrize(("message_type", "read"), READERS)
@settings(derandomize=True)
@given(value=SPELLINGS)
def test_a_scalar_that_is_accepted_is_what_json_format_makes_of_it(
    message_type: type[Any], read: Callable[[object], object], value: object
) -> None:
    def reference(value: Any) -> object:
        try:
            return json_format.ParseDict(value, message_type()).value
        except Exception as error:
            raise InvalidField("", str(error)) from error

    assert accepted(read, value) in {"refused", accepted(reference, value)}


# What the text of ProtoJSON says, where json_format is laxer.
ACCEPTED: list[tuple[Callable[[object], object], object, object]] = [
    *((pj.read_int32, value, 1000) for value in (1000, 1000.0, "1000", "1e3", "1E+3", "1000.00")),
    (pj.read_int32, "-0", 0),
    (pj.read_int64, "9223372036854775807", 2**63 - 1),
    (pj.read_int64, "9223372036854775807.0", 2**63 - 1),
    (pj.read_uint64, "18446744073709551615", 2**64 - 1),
    *((pj.read_double, value, 0.5) for value in (0.5, "0.5", "5e-1")),
    *((pj.read_float, value, -math.inf) for value in ("-Infinity",)),
    # The largest one, as it is written; json_format refuses what it has written itself.
    (pj.read_float, 3.4028235e38, (2 - 2**-23) * 2.0**127),
    *((pj.read_bytes, value, b"\x00\xff\xbf") for value in ("AP+/", "AP-_")),
    *((pj.read_bytes, value, b"\xff") for value in ("/w==", "_w==", "/w", "_w")),
    (pj.read_bytes, "", b""),
    *(
        (pj.read_timestamp, text, datetime(2024, 2, 29, 12, tzinfo=UTC))
        for text in (
            "2024-02-29T12:00:00Z",
            "2024-02-29T12:00:00.000000000Z",
            "2024-02-29T14:30:00+02:30",
            "2024-02-29T11:00:00-01:00",
        )
    ),
    *((pj.read_duration, text, timedelta(seconds=1.5)) for text in ("1.5s", "1.500000000s")),
]

NO_INTEGERS: tuple[object, ...] = (
    *("1_0", "\t3", "+3", "٣", " 3", "3 ", "0x3", "007", ".5", "5.", "1e", "", "NaN", "1e1000"),
    *(True, None, 1.5, "1.5", math.nan, math.inf, [], {}, "1" * 10_000, 10**400, "1e999999999"),
)
NO_NUMBERS: tuple[object, ...] = (
    *("1_0", " 1", "+1", "nan", "inf", "infinity", "INFINITY", "+Infinity", "٣", ".5", "5.", ""),
    *(True, None, math.nan, math.inf, 10**400, "1e999", "1" * 10_000, [], {}),
)
REFUSED: list[tuple[Callable[[object], object], object]] = [
    *((read, value) for read in (pj.read_int32, pj.read_uint64) for value in NO_INTEGERS),
    *((read, value) for read in (pj.read_double, pj.read_float) for value in NO_NUMBERS),
    (pj.read_float, "1e39"),
    (pj.read_float, 10**39),
    *(
        (pj.read_bytes, value)
        for value in ("!!", "AP_+", "A", "AAAAA", "AA=", "AAA==", "====", "A A=", "AA==\n", 1, None)
    ),
    *(
        (lambda value: pj.read_enum(value, {"RED": 1}), value)
        for value in (True, 1.5, "red", "1_0")
    ),
    *(
        (pj.read_timestamp, text)
        for text in (
            "2024-02-30T12:00:00Z",
            "2024-02-29t12:00:00z",
            "2024-02-29 12:00:00Z",
            "2024-02-29T12:00:00",
            "2024-02-29T12:00:00.1234567890Z",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00+24:00",
            "2024-02-29T12:00:00+1:00",
            "2024-2-29T12:00:00Z",
            "٢٠٢٤-02-29T12:00:00Z",
            "0000-01-01T00:00:00Z",
        )
    ),
    *(
        (pj.read_duration, text)
        for text in ("1", "+1s", "1.s", ".5s", "1 s", "1.0000000000s", "1e3s", "-s", "9" * 13 + "s")
    ),
]


@pytest.mark.parametrize(("read", "value", "expected"), ACCEPTED)
def test_what_the_text_of_proto_json_allows_is_accepted(
    read: Callable[[object], object], value: object, expected: object
) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    REFUSED,
    ids=[f"{at}-{repr(value)[:30]}" for at, (_, value) in enumerate(REFUSED)],
)
def test_what_the_text_of_proto_json_does_not_allow_is_refused(
    read: Callable[[object], object], value: object
) -> None:
    with pytest.raises(InvalidField):
        read(value)


@settings(derandomize=True)
@given(st.floats(width=32))
def test_floats_are_written_as_json_format_writes_them(value: float) -> None:
    written = json_format.MessageToDict(wrappers_pb2.FloatValue(value=value))
    assert repr(pj.write_float(value)) == repr(written)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.1, 0.1), (16777217.0, 16777216.0), (3.5e38, "Infinity"), (1e-46, 0.0), (1, 1.0)],
)
def test_a_float_is_rounded_to_32_bits_and_written_short(value: float, written: object) -> None:
    assert pj.write_float(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_what_json_has_no_number_for_is_text(value: float, written: str) -> None:
    assert pj.write_double(value) == pj.write_float(value) == written


@settings(derandomize=True)
@given(st.datetimes(timezones=st.just(UTC)))
def test_timestamps_are_written_as_json_format_writes_them(value: datetime) -> None:
    message = Timestamp()
    message.FromDatetime(value)
    assert write_timestamp(value) == message.ToJsonString()
    assert read_timestamp(write_timestamp(value)) == value


def test_a_timestamp_in_another_zone_is_written_in_utc() -> None:
    value = datetime(2024, 5, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert write_timestamp(value) == "2024-05-31T10:00:00Z"


def test_a_naive_timestamp_is_refused() -> None:
    with pytest.raises(InvalidField, match="expected a datetime with a time zone"):
        write_timestamp(datetime(2024, 5, 31))  # noqa: DTZ001 (that is the point)


def test_digits_finer_than_a_microsecond_are_cut_off() -> None:
    found = read_timestamp("2024-05-31T12:00:00.123456789+02:00")
    assert found == datetime(2024, 5, 31, 10, 0, 0, 123456, tzinfo=UTC)
    assert read_duration("-1.0000019s") == timedelta(seconds=-1, microseconds=-1)


@settings(derandomize=True)
@given(st.text("0123456789TtZz:.+- e", max_size=28))
def test_an_odd_timestamp_that_is_accepted_is_what_json_format_makes_of_it(text: str) -> None:
    def reference(value: object) -> object:
        message = Timestamp()
        try:
            message.FromJsonString(value)  # type: ignore[arg-type]
        except (ValueError, OverflowError) as error:
            raise InvalidField("", str(error)) from error
        return message.ToDatetime(UTC)

    for value in (text, f"2024-05-31T12:00:00{text}", f"2024-05-31T12:00:00.{text}Z"):
        assert accepted(read_timestamp, value) in {"refused", accepted(reference, value)}


@settings(derandomize=True)
@given(st.timedeltas(timedelta(days=-3652500), timedelta(days=3652500)))
def test_durations_are_written_as_json_format_writes_them(value: timedelta) -> None:
    message = Duration()
    message.FromTimedelta(value)
    assert write_duration(value) == message.ToJsonString()
    assert read_duration(write_duration(value)) == value


@settings(derandomize=True)
@given(st.text("0123456789.-+_ es", max_size=16))
def test_an_odd_duration_that_is_accepted_is_what_json_format_makes_of_it(text: str) -> None:
    def reference(value: object) -> object:
        message = Duration()
        try:
            message.FromJsonString(value)  # type: ignore[arg-type]
        except (ValueError, OverflowError) as error:
            raise InvalidField("", str(error)) from error
        return message.ToTimedelta()

    for value in (text, f"{text}s"):
        assert accepted(read_duration, value) in {"refused", accepted(reference, value)}


def test_enums_are_read_by_name_or_number() -> None:
    numbers = {"RED": 1, "ROUGE": 1}
    assert [pj.read_enum(v, numbers) for v in ("ROUGE", 1, "1", 7, -3)] == [1, 1, 1, 7, -3]
    with pytest.raises(InvalidField, match="expected one of RED, ROUGE, got 'GREEN'"):
        pj.read_enum("GREEN", numbers)
    with pytest.raises(InvalidField):
        pj.read_enum(2**31, numbers)


def test_lists_and_maps_say_which_element_is_at_fault() -> None:
    with pytest.raises(InvalidField, match=r"^\[1\]: expected a string, got null$"):
        pj.read_list(["a", None], pj.read_string)
    with pytest.raises(InvalidField, match=r"^\[b\]: expected an int32, got 'x'$"):
        pj.read_map({"a": 1, "b": "x"}, pj.read_string, pj.read_int32)
    with pytest.raises(InvalidField, match=r"^\[x\]: expected an int32, got 'x'$"):
        pj.read_map({"x": 1}, pj.read_int32, pj.read_int32)
    with pytest.raises(InvalidField, match=r'^\[True\]: expected "true" or "false"'):
        pj.read_map({"True": 1}, pj.read_bool_text, pj.read_int32)


@pytest.mark.parametrize("value", [[], "", None, 1, "x"])
def test_a_message_must_be_an_object(value: object) -> None:
    with pytest.raises(InvalidField, match="expected an object"):
        pj.read_object(value)


def test_messages_can_be_a_hundred_deep() -> None:
    pj.read_object({}, 100)
    with pytest.raises(InvalidField, match="expected at most 100 messages inside each other"):
        pj.read_object({}, 101)


def test_a_long_value_is_shortened_in_the_complaint() -> None:
    with pytest.raises(InvalidField) as refused:
        pj.read_int32("x" * 1000)
    assert len(refused.value.reason) < 100
