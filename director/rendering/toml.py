"""Writes TOML, of which Python has a reader alone. Source: https://toml.io/en/v1.0.0."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def table(path: tuple[str, ...], values: Mapping[str, object]) -> list[str]:
    """The lines of a table, after an empty one; none when there is nothing in it."""
    if not values:
        return []
    head = ".".join(_key(part) for part in path)
    return ["", f"[{head}]", *(setting(name, value) for name, value in values.items())]


def setting(name: str, value: object) -> str:
    """The line of one setting."""
    return f"{_key(name)} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, str):
        # JSON leaves as it is the one control character that TOML does not let stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, Mapping):
        members = (setting(name, each) for name, each in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)
