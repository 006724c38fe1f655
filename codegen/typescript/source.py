"""Source text of TypeScript: documentation, imports, and where long lines are broken."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel, parts
from codegen.contract.comments import reflow
from codegen.typescript.names import NameAllocator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["WIDTH", "Imports", "bracketed", "documentation", "union"]

WIDTH: Final = 100

# A field's name in the text of a comment, which is another in TypeScript.
_FIELD_NAME: Final = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")


class Imports:
    """The imports of one generated module.

    Args:
        path: the contract's path.
        names: the names that the module has.
    """

    def __init__(self, path: str, names: NameAllocator) -> None:
        self._path = path
        self._names = names
        self._runtime: set[str] = set()
        self._others: dict[str, dict[str, str]] = {}
        self._values: set[tuple[str, str]] = set()

    def runtime(self, name: str) -> str:
        """What the run-time has; types and values are told apart by how they begin."""
        self._runtime.add(name)
        return name

    def name(self, path: str, name: str, *, is_value: bool = False) -> str:
        """What a name of another contract's module is called here: as there, unless it is taken.

        Args:
            path: the contract's path.
            name: the name there.
            is_value: whether it is there when the program runs, which types are not.
        """
        if path == self._path:
            return name
        if is_value:
            self._values.add((path, name))
        known = self._others.setdefault(path, {})
        if name not in known:
            known[name] = self._names.take(name)
        return known[name]

    def lines(self) -> list[str]:
        """The import statements."""
        depth = len(parts(self._path)) - 1
        up = "../" * depth or "./"
        found = []
        if self._runtime:
            names = [
                f"type {name}" if name[0].isupper() else name
                for name in sorted(self._runtime, key=_by_letters)
            ]
            found.append(_statement(names, f"{up}runtime/generated.js"))
        for path in sorted(self._others):
            others = self._others[path]
            names = [
                _imported(name, others[name], is_value=(path, name) in self._values)
                for name in sorted(others, key=_by_letters)
            ]
            found.append(_statement(names, _relative(self._path, path)))
        return found


def _by_letters(name: str) -> tuple[str, str]:
    return name.lower(), name


def _imported(name: str, alias: str, *, is_value: bool) -> str:
    renamed = name if name == alias else f"{name} as {alias}"
    return renamed if is_value else f"type {renamed}"


def _statement(names: Sequence[str], module: str) -> str:
    # A statement that imports nothing but types leaves nothing behind.
    if all(name.startswith("type ") for name in names):
        return bracketed(
            "import type {", [n[5:] for n in names], f'}} from "{module}";', spaced=True
        )
    return bracketed("import {", names, f'}} from "{module}";', spaced=True)


def _relative(path: str, other: str) -> str:
    here, there = parts(path)[:-1], parts(other)
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    up = "../" * (len(here) - shared) or "./"
    return f"{up}{'/'.join(there[shared:])}.js"


def documentation(text: str, indent: int = 0, notes: Sequence[str] = ()) -> list[str]:
    """A TSDoc comment; nothing when there is nothing to say.

    Args:
        text: a comment of the contract.
        indent: how many spaces stand before it.
        notes: lines that stand below, such as those of a list.
    """
    pad = " " * indent
    said = _FIELD_NAME.sub(lambda match: f"`{lower_camel(match[1])}`", text).replace("*/", "*\\/")
    if not notes and "\n" not in said and len(said) + indent + len("/**  */") <= WIDTH and said:
        return [f"{pad}/** {said} */"]
    lines = reflow(said, WIDTH - indent - len(" * ")) if said else []
    if len(lines) == 1 and not notes and len(lines[0]) + indent + len("/**  */") <= WIDTH:
        return [f"{pad}/** {lines[0]} */"]
    if notes:
        lines += [""] if lines else []
        for note in notes:
            hanging = "  " if note.startswith("- ") else ""
            first, *rest = textwrap.wrap(
                note, WIDTH - indent - len(" * "), subsequent_indent=hanging
            )
            lines += [first, *rest]
    if not lines:
        return []
    rows = [f"{pad} * {line}".rstrip() for line in lines]
    return [f"{pad}/**", *rows, f"{pad} */"]


def bracketed(
    head: str,
    items: Iterable[str],
    tail: str,
    *,
    indent: int = 0,
    comma: str = ",",
    spaced: bool = False,
) -> str:
    """`head` `items` `tail` on one line, or with one item a line when that is too long.

    Args:
        head: what opens.
        items: what stands inside.
        tail: what closes.
        indent: how many spaces stand before it; they are not written before the first line.
        comma: what stands behind the last item where each has a line.
        spaced: whether a space stands inside of the brackets.
    """
    items = list(items)
    space = " " if spaced and items else ""
    line = f"{head}{space}{', '.join(items)}{space}{tail}"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    pad = " " * indent
    rows = ",\n".join(f"{pad}  {item}" for item in items)
    return f"{head}\n{rows}{comma}\n{pad}{tail}"


def union(head: str, members: Sequence[str], indent: int = 0) -> str:
    """A type that is one of several, on one line or with one a line."""
    line = f"{head} {' | '.join(members)};"
    if len(line) + indent <= WIDTH:
        return line
    pad = " " * indent
    return head + "".join(f"\n{pad}  | {member}" for member in members) + ";"
