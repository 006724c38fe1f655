"""Timestamps and durations in ProtoJSON.

Sources: ProtoJSON, https://protobuf.dev/programming-guides/json, and RFC 3339,
https://www.rfc-editor.org/rfc/rfc3339. Like `seam.codec.protojson`, it accepts what
`google.protobuf.json_format` accepts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from seam.codec.protojson_scalars import show
from seam.codec.wellknown import EPOCH, duration_of, duration_parts, timestamp_of, timestamp_parts
from seam.contract.errors import InvalidField

__all__ = ["read_duration", "read_timestamp", "write_duration", "write_timestamp"]

# What RFC 3339 allows, with the letters in upper case; the rest is left to `_split_leniently`.
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def read_timestamp(value: object) -> datetime:
    """An instant as RFC 3339 text, in UTC; what is finer than a microsecond is cut off.

    Raises:
        InvalidField: The value is no such text, or lies outside of the years 1 to 9999.
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
    if match is not None:
        clock, digits, zone = match.groups()
        local = datetime.fromisoformat(clock).replace(tzinfo=UTC)
        nanos = int(digits.ljust(9, "0")) if digits else 0
    else:
        local, nanos, zone = _split_leniently(text)
    since = local - EPOCH
    seconds = since.days * 86_400 + since.seconds
    if zone != "Z":
        hours, _, minutes = zone[1:].partition(":")
        offset = (int(hours) * 60 + int(minutes)) * 60
        seconds += -offset if zone[0] == "+" else offset
    return timestamp_of(seconds, nanos)


def _split_leniently(text: str) -> tuple[datetime, int, str]:
    """Splits text such as `2024-5-1T9:00:00.25+1:00`, which json_format takes for a Timestamp.

    Returns:
        Date and time as if they were in UTC, nanoseconds, and the time zone.

    Raises:
        ValueError: The text is none of that.
    """
    at = text.find("Z")
    if at < 0:
        at = text.find("+")
    if at < 0:
        at = text.rfind("-")
    if at < 0:
        raise ValueError(text)
    clock, _, digits = text[:at].partition(".")
    zone = text[at:]
    if "t" in clock or len(digits) > 9 or (zone != "Z" and ("Z" in zone or ":" not in zone)):
        raise ValueError(text)
    nanos = round(float(f"0.{digits}") * 1e9) if digits else 0
    local = datetime.strptime(clock, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return local, nanos, zone


def write_timestamp(value: datetime) -> str:
    """An instant as RFC 3339 text in UTC, with 0, 3 or 6 digits after the point.

    Raises:
        InvalidField: The datetime is naive, so it names no instant; or its instant lies outside of
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
        InvalidField: The value is no such text, or longer than 10,000 years.
    """
    if isinstance(value, str) and value.endswith("s"):
        try:
            return _duration(value[:-1])
        except (ValueError, OverflowError):
            pass
    raise InvalidField("", f'expected a duration such as "1.5s", got {show(value)}')


def _duration(text: str) -> timedelta:
    whole, point, digits = text.partition(".")
    nanos = round(float(f"0.{digits}") * 1e9) if point else 0
    return duration_of(int(whole), -nanos if text.startswith("-") else nanos)


def write_duration(value: timedelta) -> str:
    """A span of time in seconds, with 0, 3 or 6 digits after the point.

    Raises:
        InvalidField: The span is longer than 10,000 years.
    """
    sign, seconds, microseconds = duration_parts(value)
    minus = "-" if sign < 0 else ""
    if not microseconds:
        return f"{minus}{seconds}s"
    digits = f"{microseconds:06d}" if microseconds % 1_000 else f"{microseconds // 1_000:03d}"
    return f"{minus}{seconds}.{digits}s"
