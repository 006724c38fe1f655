"""Comments of a contract as docstrings."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.contract.comments import reflow

__all__ = ["Section", "docstring", "lower_first"]

_WIDTH = 100

Section = tuple[str, Sequence[tuple[str, str]]]
"""A section of a docstring: its title, such as `Raises`, and names with what is said of them."""


def docstring(text: str, indent: int = 0, sections: Sequence[Section] = ()) -> str:
    """A docstring in Google style, as source text without indentation on its first line.

    Args:
        text: what the docstring says first.
        indent: how many spaces stand before it.
        sections: what stands below it.
    """
    width = _WIDTH - indent
    lines = reflow(text, width - 3)
    # The closing quotes go on the line of a text that is one line long.
    if len(lines) == 1 and len(lines[0]) > width - 6:
        lines = reflow(text, width - 6)
    for title, entries in sections:
        rows = []
        for name, comment in entries:
            first, *rest = reflow(f"{name}: {comment}" if comment else f"{name}:", width - 8) or [
                ""
            ]
            rows.append(f"    {first}")
            rows.extend(f"        {row}" if row else "" for row in rest)
        if rows:
            lines += ["", f"{title}:", *rows]
    escaped = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if escaped.endswith('"') and not escaped.endswith('\\"\\"\\"'):
        escaped = escaped[:-1] + '\\"'
    if len(lines) > 1:
        escaped += "\n"
    pad = " " * indent
    return "\n".join(
        (pad + row if row and at else row) for at, row in enumerate(f'"""{escaped}"""'.split("\n"))
    )


def lower_first(sentence: str) -> str:
    """A sentence as the second part of another: `A word.` as `a word.`, but `HTTP.` as it is."""
    starts_word = len(sentence) > 1 and sentence[1].islower()
    is_lower = starts_word or sentence.startswith("A ")
    return sentence[:1].lower() + sentence[1:] if is_lower else sentence
