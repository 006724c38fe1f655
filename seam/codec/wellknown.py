"""Timestamps, durations and field masks as Protocol Buffers have them.

Sources: google/protobuf/timestamp.proto and google/protobuf/duration.proto, whose bounds these are;
google/protobuf/field_mask.proto.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from seam.contract.errors import InvalidField

__all__ = ["check_paths", "duration_of", "duration_parts", "timestamp_of", "timestamp_parts"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What timestamps count from."""

_SECONDS_MIN: Final = -62_135_596_800
_SECONDS_MAX: Final = 253_402_300_799
_DURATION_MAX: Final = 315_576_000_000
_NANOS: Final = 1_000_000_000
# What comes back from lowerCamelCase: no capital letter, a small one after each underscore; and no
# comma, which parts paths. `*` and the like are left to the reader of the mask.
_PATH: Final = re.compile(r"(?:[!-+\--@\[-^`-~]|_[a-z])+")

_MICROSECOND: Final = timedelta(microseconds=1)


def timestamp_of(seconds: int, nanos: int) -> datetime:
    """An instant in UTC; what is finer than a microsecond is cut off.

    Args:
        seconds: seconds since 1970.
        nanos: nanoseconds after them.

    Raises:
        InvalidField: the instant lies outside of the years 1 to 9999, or nanos are out of range.
    """
    if not (_SECONDS_MIN <= seconds <= _SECONDS_MAX and 0 <= nanos < _NANOS):
        raise InvalidField("", f"no valid Timestamp: seconds {seconds}, nanos {nanos}")
    return EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1_000)


def timestamp_parts(value: datetime) -> tuple[int, int]:
    """Seconds since 1970, and microseconds after them.

    Raises:
        InvalidField: the datetime is naive, so it names no instant; or its instant lies outside of
            the years 1 to 9999 in UTC.
    """
    if value.utcoffset() is None:
        raise InvalidField("", f"expected a datetime with a time zone, got the naive {value}")
    since = value - EPOCH
    seconds = since.days * 86_400 + since.seconds
    if not _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        raise InvalidField("", f"expected the years 1 to 9999 in UTC, got {value}")
    return seconds, since.microseconds


def duration_of(seconds: int, nanos: int) -> timedelta:
    """A span of time; what is finer than a microsecond is cut off, towards zero.

    Args:
        seconds: whole seconds.
        nanos: nanoseconds, with the same sign.

    Raises:
        InvalidField: seconds or nanos are out of range, or their signs differ.
    """
    in_range = -_DURATION_MAX <= seconds <= _DURATION_MAX and -_NANOS < nanos < _NANOS
    if not in_range or seconds < 0 < nanos or nanos < 0 < seconds:
        raise InvalidField("", f"no valid Duration: seconds {seconds}, nanos {nanos}")
    microseconds = nanos // 1_000 if nanos >= 0 else -(-nanos // 1_000)
    return timedelta(seconds=seconds, microseconds=microseconds)


def duration_parts(value: timedelta) -> tuple[int, int, int]:
    """Sign, whole seconds, and microseconds after them.

    Returns:
        1 or -1, and two numbers that are not negative.

    Raises:
        InvalidField: the span is longer than 10,000 years, the most that a Duration can hold.
    """
    microseconds = value // _MICROSECOND
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    # Whole seconds have the bound; a fraction may come on top of it, as it may when it is read.
    if seconds > _DURATION_MAX:
        raise InvalidField("", f"expected at most {_DURATION_MAX} whole seconds, got {value}")
    return (1 if microseconds >= 0 else -1), seconds, rest


def check_paths(paths: object) -> tuple[str, ...]:
    """Check the paths of a field mask: that each is the same after a turn through JSON.

    Args:
        paths: the paths, as a record holds them.

    Raises:
        InvalidField: it is no tuple of paths in snake case.
    """
    if not isinstance(paths, tuple):
        raise InvalidField("", f"expected a tuple of paths, got {type(paths).__name__}")
    for path in paths:
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            expected = "expected paths in snake case, such as author.first_name"
            raise InvalidField("", f"{expected}, got {path!r:.60}")
    return paths
