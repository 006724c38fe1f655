"""Parses Swift, and says where that is no Swift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tree_sitter_swift
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

__all__ = ["SourceFile", "named", "text_of"]

_PARSER: Final = Parser(Language(tree_sitter_swift.language()))


class SourceFile:
    """A file that was parsed.

    Args:
        path: what problems call it.
        content: what it holds.
    """

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.root = _PARSER.parse(content).root_node

    def problem(self, node: Node, reason: str) -> str:
        """A line that says what is wrong, and where."""
        line, column = node.start_point
        return f"{self.path}:{line + 1}:{column + 1}: {reason}"

    def problems(self) -> Iterator[str]:
        """What the parser has not understood, or has missed."""
        for node in _broken(self.root):
            if node.is_missing:
                yield self.problem(node, f"expected {node.type!r}")
            else:
                line = text_of(node).partition("\n")[0]
                yield self.problem(node, f"this is no Swift: {line[:60]}")


def _broken(node: Node) -> Iterator[Node]:
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _broken(child)


def named(node: Node, *types: str) -> Iterator[Node]:
    """All nodes of some types below a node, itself included."""
    pending = [node]
    while pending:
        found = pending.pop()
        if found.type in types:
            yield found
        pending += reversed(found.children)


def text_of(node: Node) -> str:
    """What stands in the file where a node is."""
    return (node.text or b"").decode(errors="replace")
