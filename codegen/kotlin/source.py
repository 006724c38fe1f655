"""Source text of Kotlin: documentation, imports, and where long lines are broken."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel
from codegen.contract.comments import reflow
from codegen.kotlin.names import TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["WIDTH", "Imports", "bracketed", "closure", "documentation"]

WIDTH: Final = 100

# What a file finds without an import.
_SEEN: Final = ("kotlin", "kotlin.collections", "kotlin.jvm")

# A field's name in the text of a comment, which is another in Kotlin.
_FIELD_NAME: Final = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")

_TAG: Final = re.compile(r"^(\s*)@", re.MULTILINE)


class Imports:
    """The imports of one generated file.

    Args:
        package: the file's package.
        declared: the names that the package has.
    """

    def __init__(self, package: str, declared: Collection[str]) -> None:
        self._package = package
        self._declared = declared
        self._imported: dict[str, str] = {}

    def known(self, name: str, hidden: Collection[str] = ()) -> str:
        """What generated code stands on, by its name.

        Args:
            name: one of those in `TYPES`.
            hidden: names that mean something else where it is written.
        """
        package, _, simple = TYPES[name].rpartition(".")
        return self.name(package, simple, hidden)

    def name(self, package: str, name: str, hidden: Collection[str] = ()) -> str:
        """What a name of a package is called here: as there, unless that means something else."""
        if name in hidden:
            return f"{package}.{name}"
        if package == self._package or package in _SEEN:
            return name
        whole = f"{package}.{name}"
        if name in self._declared or self._imported.setdefault(name, whole) != whole:
            return whole
        return name

    def lines(self) -> list[str]:
        """The import statements."""
        return [f"import {name}" for name in sorted(self._imported.values())]


def documentation(text: str, indent: int = 0, notes: Sequence[str] = ()) -> list[str]:
    """A KDoc comment; nothing when there is nothing to say.

    Args:
        text: a comment of the contract.
        indent: how many spaces stand before it.
        notes: block tags that stand below.
    """
    pad = " " * indent
    said = _safe(_FIELD_NAME.sub(lambda match: f"`{lower_camel(match[1])}`", text))
    lines = reflow(said, WIDTH - indent - len(" * ")) if said else []
    if len(lines) == 1 and not notes and len(lines[0]) + indent + len("/**  */") <= WIDTH:
        return [f"{pad}/** {lines[0]} */"]
    if notes:
        lines += [""] if lines else []
        for note in notes:
            lines += textwrap.wrap(note, WIDTH - indent - len(" * "), subsequent_indent="  ")
    if not lines:
        return []
    return [f"{pad}/**", *(f"{pad} * {line}".rstrip() for line in lines), f"{pad} */"]


def _safe(text: str) -> str:
    # Comments nest in Kotlin, and `@` begins a block tag.
    closed = text.replace("*/", "*&#47;").replace("/*", "/&#42;")
    return _TAG.sub(r"\1&#64;", closed)


def bracketed(head: str, items: Iterable[str], tail: str, *, indent: int = 0) -> str:
    """`head` `items` `tail` on one line, or with one item a line when that is too long.

    Args:
        head: what opens.
        items: what stands inside.
        tail: what closes.
        indent: how many spaces stand before it; they are not written before the first line.
    """
    items = list(items)
    line = f"{head}{', '.join(items)}{tail}"
    # A comma may follow.
    if (len(line) + indent < WIDTH and "\n" not in line) or not items:
        return line
    pad = " " * indent
    rows = "".join(f"{pad}    {item},\n" for item in items)
    return f"{head}\n{rows}{pad}{tail}"


def closure(head: str, body: str, *, indent: int = 0) -> str:
    """`head { body }` on one line, or on three when that is too long.

    Args:
        head: what takes the lambda.
        body: what it does.
        indent: how many spaces stand before it; they are not written before the first line.
    """
    line = f"{head} {{ {body} }}"
    # A comma may follow.
    if len(line) + indent < WIDTH:
        return line
    pad = " " * indent
    return f"{head} {{\n{pad}    {body}\n{pad}}}"
