"""Single values in ProtoJSON. Source: https://protobuf.dev/programming-guides/json.

Readers and writers raise ValueError. `clients/protojson` proves that they do as the server does.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

__all__ = [
    "JsonValue",
    "integer_reader",
    "integer_writer",
    "read_bool",
    "read_bytes",
    "read_double",
    "read_duration",
    "read_field_mask",
    "read_float",
    "read_string",
    "read_timestamp",
    "shown",
    "write_bool",
    "write_bytes",
    "write_double",
    "write_duration",
    "write_field_mask",
    "write_float",
    "write_string",
    "write_timestamp",
]

JsonValue = object
"""What a JSON library reads and writes."""

_SHOWN_CHARACTERS: Final = 60

_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST_DURATION: Final = 315_576_000_000
_FLOAT: Final = struct.Struct("<f")

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")
_INTEGER_DIGITS: Final = 20
_NAMED_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})")
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_DURATION: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_JSON_PATH: Final = re.compile(r"[!-+\--^`-~]+")
_PATH: Final = re.compile(r"(?:[!-+\--@\[-^`-~]|_[a-z])+")


def shown(value: object) -> str:
    """A value as an error shows it, however long it is."""
    try:
        text = repr(value)
    except ValueError:
        # Python does not write out integers of more than some thousand digits.
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


class integer_reader:  # noqa: N801 (it is called like a function)
    """Reads integers of one kind.

    Args:
        low: the least one.
        high: the greatest one.
    """

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def __call__(self, value: JsonValue) -> int:
        """Read an integer."""
        number = _integer(value)
        if number is None or not self._low <= number <= self._high:
            raise ValueError(
                f"expected an integer of {self._low} to {self._high}, got {shown(value)}"
            )
        return number


def _integer(value: JsonValue) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        number = Decimal(value)
        is_whole = number.adjusted() <= _INTEGER_DIGITS and number == number.to_integral_value()
        return int(number) if is_whole else None
    return value if isinstance(value, int) else None


def read_double(value: JsonValue) -> float:
    """Read a double."""
    number = math.nan
    if isinstance(value, str):
        if value in _NAMED_NUMBERS:
            return _NAMED_NUMBERS[value]
        if _NUMBER.fullmatch(value):
            number = float(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a number, got {shown(value)}")
    return number


def read_float(value: JsonValue) -> float:
    """Read a float, rounded to 32 bits."""
    number = read_double(value)
    rounded = _as_float32(number)
    if math.isfinite(number) and math.isinf(rounded):
        raise ValueError(f"expected a number of 32 bits, got {shown(value)}")
    return rounded


def _as_float32(number: float) -> float:
    try:
        rounded: float = _FLOAT.unpack(_FLOAT.pack(number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return rounded


def read_bool(value: JsonValue) -> bool:
    """Read a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {shown(value)}")
    return value


def read_string(value: JsonValue) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise ValueError(f"expected a string, got {shown(value)}")
    return value


def read_bytes(value: JsonValue) -> bytes:
    """Read bytes in base64, of either alphabet, with or without padding."""
    match = _BASE64.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        digits = match[0].rstrip("=")
        is_whole = len(match[0]) % 4 == 0 if match[1] else len(digits) % 4 != 1
        if is_whole:
            digits = digits.replace("+", "-").replace("/", "_")
            return base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    raise ValueError(f"expected bytes in base64, got {shown(value)}")


def read_timestamp(value: JsonValue) -> datetime:
    """Read an instant, in UTC; what is finer than a microsecond is cut off."""
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        clock, digits, sign, hours, minutes = match.groups()
        microseconds = int(digits.ljust(9, "0")) // 1_000 if digits else 0
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        try:
            local = datetime.fromisoformat(clock).replace(microsecond=microseconds, tzinfo=UTC)
            return local + offset if sign == "-" else local - offset
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"expected an RFC 3339 date and time, got {shown(value)}")


def read_duration(value: JsonValue) -> timedelta:
    """Read a span of time; what is finer than a microsecond is cut off."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > _LONGEST_DURATION:
        raise ValueError(f'expected a duration such as "1.5s", got {shown(value)}')
    microseconds = int(match[3].ljust(9, "0")) // 1_000 if match[3] else 0
    span = timedelta(seconds=int(match[2]), microseconds=microseconds)
    return -span if match[1] else span


def read_field_mask(value: JsonValue) -> tuple[str, ...]:
    """Read the paths of a field mask, in snake case."""
    if value == "":
        return ()
    paths = value.split(",") if isinstance(value, str) else [""]
    if not all(_JSON_PATH.fullmatch(path) for path in paths):
        raise ValueError(
            f"expected paths in lowerCamelCase with commas between, got {shown(value)}"
        )
    return tuple(re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", path) for path in paths)


class integer_writer:  # noqa: N801 (it is called like a function)
    """Writes integers of one kind.

    Args:
        low: the least one.
        high: the greatest one.
        as_text: whether JSON has them as text, as those of 64 bits.
    """

    def __init__(self, low: int, high: int, *, as_text: bool = False) -> None:
        self._low = low
        self._high = high
        self._as_text = as_text

    def __call__(self, value: object) -> int | str:
        """Write an integer."""
        integer = value if isinstance(value, int) and not isinstance(value, bool) else None
        if integer is None or not self._low <= integer <= self._high:
            expected = f"expected an integer of {self._low} to {self._high}"
            raise ValueError(f"{expected}, got {shown(value)}")
        return str(integer) if self._as_text else integer


def write_bool(value: object) -> bool:
    """Write a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"expected True or False, got {shown(value)}")
    return value


def write_string(value: object) -> str:
    """Write a string."""
    if not isinstance(value, str):
        raise ValueError(f"expected a str, got {shown(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"expected Unicode text, got {shown(value)}") from None
    return value


def write_double(value: object) -> float | str:
    """Write a double; JSON has no number for NaN and the infinities."""
    number = _number(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def write_float(value: object) -> float | str:
    """Write a float, as the shortest number that reads back as the same 32 bits."""
    single = _as_float32(_number(value))
    if not math.isfinite(single):
        return write_double(single)
    # Nine digits tell all 32-bit floats apart.
    shortest = (float(f"{single:.{digits}g}") for digits in range(6, 10))
    return next(each for each in shortest if _as_float32(each) == single)


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f"expected a number, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"expected a number of 64 bits, got {shown(value)}") from None


def write_bytes(value: object) -> str:
    """Write bytes in base64 with padding."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError(f"expected bytes, got {shown(value)}")
    return base64.b64encode(value).decode("ascii")


def write_timestamp(value: object) -> str:
    """Write an instant in UTC. Raises ValueError for a datetime without a time zone."""
    if not isinstance(value, datetime):
        raise ValueError(f"expected a datetime, got {shown(value)}")
    if value.utcoffset() is None:
        raise ValueError(f"expected a datetime with a time zone, got the naive {value}")
    value = value.astimezone(UTC).replace(tzinfo=None)
    digits = "seconds"
    if value.microsecond:
        digits = "microseconds" if value.microsecond % 1_000 else "milliseconds"
    return value.isoformat(timespec=digits) + "Z"


def write_duration(value: object) -> str:
    """Write a span of time in seconds."""
    if not isinstance(value, timedelta):
        raise ValueError(f"expected a timedelta, got {shown(value)}")
    microseconds = value // _MICROSECOND
    minus = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    if not rest:
        return f"{minus}{seconds}s"
    digits = f"{rest:06d}" if rest % 1_000 else f"{rest // 1_000:03d}"
    return f"{minus}{seconds}.{digits}s"


def write_field_mask(paths: Iterable[object]) -> str:
    """Write the paths of a field mask. Raises ValueError for one that JSON would change."""
    names: list[str] = []
    for path in paths:
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise ValueError(f"expected a path in snake case, got {shown(path)}")
        names.append(re.sub("_([a-z])", lambda found: found[1].upper(), path))
    return ",".join(names)
