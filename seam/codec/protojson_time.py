"""Timestamps and durations in ProtoJSON.

Sources: ProtoJSON, https://protobuf.dev/programming-guides/json, and RFC 3339,
https://www.rfc-editor.org/rfc/rfc3339.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from seam.codec.protojson_scalars import show
from seam.codec.wellknown import EPOCH, duration_of, duration_parts, timestamp_of, timestamp_parts
from seam.contract.errors import InvalidField

__all__ = ["read_duration", "read_timestamp", "write_duration", "write_timestamp"]

# RFC 3339, with the letters in upper case.
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_DURATION: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")


def read_timestamp(value: object) -> datetime:
    """An instant as RFC 3339 text, in UTC; what is finer than a microsecond is cut off.

    Raises:
        InvalidField: the value is no such text, or lies outside of the years 1 to 9999.
    """
    if isinstance(value, str):
        try:
            return _timestamp(value)
        except (ValueError, OverflowError):
            pass
    expected = "expected an RFC 3339 date and time such as 2024-05-31T12:00:00Z"
    raise InvalidField("", f"{expected}, got {show(value)}")


def _timestamp(text: str) -> datetime:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    clock, digits, sign, hours, minutes = match.groups()
    local = datetime.fromisoformat(clock).replace(tzinfo=UTC)
    nanos = int(digits.ljust(9, "0")) if digits else 0
    since = local - EPOCH
    seconds = since.days * 86_400 + since.seconds
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60
        seconds += -offset if sign == "+" else offset
    return timestamp_of(seconds, nanos)


def write_timestamp(value: datetime) -> str:
    """An instant as RFC 3339 text in UTC, with 0, 3 or 6 digits after the point.

    Raises:
        InvalidField: the datetime is naive, so it names no instant; or its instant lies outside of
            the years 1 to 9999 in UTC.
    """
    if value.tzinfo is not UTC:
        seconds, microseconds = timestamp_parts(value)
        value = EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
    if not value.microsecond:
        precision = "seconds"
    else:
        precision = "microseconds" if value.microsecond % 1_000 else "milliseconds"
    return value.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def read_duration(value: object) -> timedelta:
    """A span of time such as `"1.5s"`; what is finer than a microsecond is cut off.

    Raises:
        InvalidField: the value is no such text, or longer than 10,000 years.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        minus, whole, digits = match.groups()
        sign = -1 if minus else 1
        nanos = int(digits.ljust(9, "0")) if digits else 0
        try:
            return duration_of(sign * int(whole), sign * nanos)
        except InvalidField:
            pass
    raise InvalidField("", f'expected a duration such as "1.5s", got {show(value)}')


def write_duration(value: timedelta) -> str:
    """A span of time in seconds, with 0, 3 or 6 digits after the point.

    Raises:
        InvalidField: the span is longer than 10,000 years.
    """
    sign, seconds, microseconds = duration_parts(value)
    minus = "-" if sign < 0 else ""
    if not microseconds:
        return f"{minus}{seconds}s"
    digits = f"{microseconds:06d}" if microseconds % 1_000 else f"{microseconds // 1_000:03d}"
    return f"{minus}{seconds}.{digits}s"
