"""Source text of Swift: documentation, and where long lines are broken."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel
from codegen.contract.comments import reflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["WIDTH", "bracketed", "documentation", "indented"]

WIDTH: Final = 100

# A field's name in the text of a comment, which is another in Swift.
_FIELD_NAME: Final = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")


def documentation(
    text: str, indent: int = 0, notes: Sequence[str] = (), *, outside: int = 0
) -> list[str]:
    """A documentation comment; nothing when there is nothing to say.

    Args:
        text: a comment of the contract.
        indent: how many spaces stand before it.
        notes: lines that stand below, such as those of a list.
        outside: how many more will stand before it.
    """
    pad = " " * indent
    width = WIDTH - indent - outside - len("/// ")
    said = _FIELD_NAME.sub(lambda match: f"`{lower_camel(match[1])}`", text)
    lines = reflow(said, width) if said else []
    if notes:
        lines += [""] if lines else []
        for note in notes:
            hanging = " " * (len(note) - len(note.lstrip()) + 2)
            lines += textwrap.wrap(note, width, subsequent_indent=hanging)
    return [f"{pad}/// {line}".rstrip() for line in lines]


def bracketed(head: str, items: Iterable[str], tail: str, *, outside: int = 0) -> list[str]:
    """`head` `items` `tail` on one line, or with one item a line when that is too long.

    Args:
        head: what opens.
        items: what stands inside.
        tail: what closes.
        outside: how many spaces will stand before it.
    """
    items = list(items)
    line = f"{head}{', '.join(items)}{tail}"
    if len(line) + outside <= WIDTH:
        return [line]
    commas = [","] * (len(items) - 1) + [""]
    rows = [f"    {item}{comma}" for item, comma in zip(items, commas, strict=True)]
    return [head, *rows, tail]


def indented(lines: Iterable[str], by: int = 4) -> list[str]:
    """Lines further to the right."""
    pad = " " * by
    return [f"{pad}{line}".rstrip() for line in lines]
