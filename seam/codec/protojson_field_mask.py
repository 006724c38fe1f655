"""Field masks in ProtoJSON: one text, in which commas part paths in lowerCamelCase.

Source: google/protobuf/field_mask.proto, "JSON Encoding of Field Masks".
"""

from __future__ import annotations

import re
from typing import Final

from seam.codec.protojson_scalars import show
from seam.codec.wellknown import check_paths
from seam.contract.errors import InvalidField

__all__ = ["read_field_mask", "write_field_mask"]

_JSON_PATH: Final = re.compile(r"[!-+\--^`-~]+")
_CAPITAL: Final = re.compile(r"[A-Z]")
_UNDERSCORE: Final = re.compile(r"_([a-z])")


def read_field_mask(value: object) -> tuple[str, ...]:
    """Read the paths of a field mask; an empty text has none.

    Raises:
        InvalidField: the value is no such text.
    """
    if value == "":
        return ()
    paths = value.split(",") if isinstance(value, str) else [""]
    if not all(_JSON_PATH.fullmatch(path) for path in paths):
        expected = "expected paths in lowerCamelCase with commas between them"
        raise InvalidField("", f"{expected}, such as title,author.firstName, got {show(value)}")
    return tuple([_CAPITAL.sub(_after_underscore, path) for path in paths])


def write_field_mask(paths: tuple[str, ...]) -> str:
    """Write the paths of a field mask.

    Raises:
        InvalidField: a path would be another after a turn through JSON.
    """
    return ",".join([_UNDERSCORE.sub(_as_capital, path) for path in check_paths(paths)])


def _after_underscore(match: re.Match[str]) -> str:
    return f"_{match[0].lower()}"


def _as_capital(match: re.Match[str]) -> str:
    return match[1].upper()
