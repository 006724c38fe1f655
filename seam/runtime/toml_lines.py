"""Where keys and tables are in a TOML file, so that an error can point at a line.

The standard parser gives values without positions. This finds table headers and keys again in
the text; it need not be exact for exotic TOML, because it only serves to show the way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*\[+([^\]]+)\]")
_KEY: Final = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")


def line_of(text: str, path: Sequence[str], mention: str = "") -> int:
    """The line, counted from 1, on which a key or a table stands.

    Args:
        text: the TOML text.
        path: names of the tables and of the key; the longest part that is found counts.
        mention: a string to look for from that line on, such as an element of an array.
    """
    lines = text.split("\n")
    best, length = 1, 0
    table: list[str] = []
    for number, line in enumerate(lines, start=1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            here = table
        elif key := _KEY.match(line):
            here = table + _parts(key[1])
        else:
            continue
        # What stands inside of a table that has no line of its own shows where the table is.
        here = here[: len(path)]
        if len(here) > length and list(path[: len(here)]) == here:
            best, length = number, len(here)
    if mention:
        for number in range(best, len(lines) + 1):
            if mention in lines[number - 1]:
                return number
    return best


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
