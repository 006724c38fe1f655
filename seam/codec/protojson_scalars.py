"""Scalars and enums in ProtoJSON.

Source: ProtoJSON, https://protobuf.dev/programming-guides/json. It decides what is accepted, where
`google.protobuf.json_format` accepts more. Readers raise InvalidField when they refuse a value.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "read_bool",
    "read_bool_text",
    "read_bytes",
    "read_double",
    "read_enum",
    "read_float",
    "read_int32",
    "read_int64",
    "read_string",
    "read_uint32",
    "read_uint64",
    "show",
    "write_bool_key",
    "write_bytes",
    "write_double",
    "write_float",
]

_FLOAT: Final = struct.Struct("<f")

# As JSON writes numbers: no sign before a positive one, no digits but ASCII's.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")
_LONGEST_NUMBER: Final = 1_000
_INTEGER_DIGITS: Final = 20
_NAMED_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_BASE64: Final = re.compile(r"(?=[A-Za-z0-9+/]*={0,2}\Z|[A-Za-z0-9_-]*={0,2}\Z)([^=]*)={0,2}")
_URL_SAFE: Final = str.maketrans("+/", "-_")

_LONGEST_SHOWN: Final = 60


def read_int32(value: object) -> int:
    """An int32, sint32 or sfixed32. Raises InvalidField."""
    return _read_integer(value, -(2**31), 2**31 - 1, "an int32")


def read_uint32(value: object) -> int:
    """A uint32 or fixed32. Raises InvalidField."""
    return _read_integer(value, 0, 2**32 - 1, "a uint32")


def read_int64(value: object) -> int:
    """An int64, sint64 or sfixed64. Raises InvalidField."""
    return _read_integer(value, -(2**63), 2**63 - 1, "an int64")


def read_uint64(value: object) -> int:
    """A uint64 or fixed64. Raises InvalidField."""
    return _read_integer(value, 0, 2**64 - 1, "a uint64")


def _read_integer(value: object, low: int, high: int, kind: str) -> int:
    number: int | None = None
    if isinstance(value, bool):
        pass
    elif isinstance(value, int):
        number = value
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, str):
        number = _integer_from_text(value)
    if number is None or not low <= number <= high:
        raise InvalidField("", f"expected {kind}, got {show(value)}")
    return number


def _integer_from_text(text: str) -> int | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    # An exponent can stand for more digits than there is memory.
    if number.adjusted() > _INTEGER_DIGITS or number != number.to_integral_value():
        return None
    return int(number)


def read_double(value: object) -> float:
    """A double. Raises InvalidField."""
    return _read_number(value, "a double")


def read_float(value: object) -> float:
    """A float, rounded to 32 bits. Raises InvalidField."""
    number = _read_number(value, "a float")
    rounded = _as_float32(number)
    # The largest one, written short, is a little more than itself; it must be read again.
    if math.isfinite(number) and math.isinf(rounded):
        raise InvalidField("", f"expected a float, got {show(value)}, which is out of range")
    return rounded


def _read_number(value: object, kind: str) -> float:
    number = math.nan
    if isinstance(value, str):
        named = _NAMED_NUMBERS.get(value)
        if named is not None:
            return named
        if len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
            number = float(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    # Bare NaN and Infinity are no JSON, though some libraries read them.
    if not math.isfinite(number):
        raise InvalidField("", f"expected {kind}, got {show(value)}")
    return number


def _as_float32(number: float) -> float:
    try:
        rounded: float = _FLOAT.unpack(_FLOAT.pack(number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return rounded


def read_bool(value: object) -> bool:
    """A bool. Raises InvalidField."""
    if isinstance(value, bool):
        return value
    raise InvalidField("", f"expected true or false, got {show(value)}")


def read_bool_text(value: object) -> bool:
    """A bool as text: a map key, a path variable or a query parameter. Raises InvalidField."""
    if value == "true":
        return True
    if value == "false":
        return False
    raise InvalidField("", f'expected "true" or "false", got {show(value)}')


def read_string(value: object) -> str:
    """A string. Raises InvalidField."""
    if not isinstance(value, str):
        raise InvalidField("", f"expected a string, got {show(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidField("", "expected Unicode text, got an unpaired surrogate") from None
    return value


def read_bytes(value: object) -> bytes:
    """Bytes in base64, in one alphabet and with or without padding. Raises InvalidField."""
    if isinstance(value, str):
        match = _BASE64.fullmatch(value)
        if match is not None:
            digits = match[1] or ""
            padding = len(value) - len(digits)
            whole = len(value) % 4 == 0 if padding else len(digits) % 4 != 1
            if whole:
                # Both alphabets have the same letters and digits.
                return base64.urlsafe_b64decode(
                    digits.translate(_URL_SAFE) + "=" * (-len(digits) % 4)
                )
    raise InvalidField("", f"expected bytes in base64, got {show(value)}")


def read_enum(value: object, numbers: Mapping[str, int]) -> int:
    """The number of an enum value, given by name or number.

    Args:
        value: the JSON value.
        numbers: the numbers that the contract names.

    Raises:
        InvalidField: the name is unknown, or the value is no int32.
    """
    if isinstance(value, str) and value in numbers:
        return numbers[value]
    try:
        return read_int32(value)
    except InvalidField:
        listed = ", ".join(numbers)
        raise InvalidField("", f"expected one of {listed}, got {show(value)}") from None


def write_double(value: float) -> float | str:
    """A double; JSON has no number for NaN and the infinities, so they are text."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def write_float(value: float) -> float | str:
    """A float, as the shortest number that reads back as the same 32 bits."""
    single = _as_float32(value)
    if not math.isfinite(single):
        return write_double(single)
    # Six to nine significant digits tell all 32-bit floats apart.
    for digits in range(6, 9):
        shortest = float(f"{single:.{digits}g}")
        if _as_float32(shortest) == single:
            return shortest
    return float(f"{single:.9g}")


def write_bytes(value: bytes) -> str:
    """Bytes in base64 with padding."""
    return base64.b64encode(value).decode("ascii")


def write_bool_key(value: bool) -> str:
    """A bool as a map key."""
    return "true" if value else "false"


def show(value: object) -> str:
    """A JSON value for an error message: short, and as the client wrote it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "an array"
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        # Cut before it is written out: it may be megabytes.
        return f"{value[:_LONGEST_SHOWN]!r}..."
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
