"""Says what msgspec finds wrong with a value in the words of TOML."""

from __future__ import annotations

import re
from typing import Final

_TYPES: Final = re.compile(r"`([^`]*)`")
_WORDS: Final = {
    "array": "an array",
    "bool": "a boolean",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a string",
}


def in_words(reason: str) -> str:
    """Name types as TOML does."""

    def words(types: re.Match[str]) -> str:
        names = [name for name in types[1].split(" | ") if name != "null"]
        return " or ".join(_WORDS.get(name, name) for name in names)

    return _TYPES.sub(words, reason[:1].lower() + reason[1:])
