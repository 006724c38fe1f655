"""Finds what a parser does not: names in generated code that nothing declares."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from clients.ios.checking.syntax import named, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from clients.ios.checking.declarations import Declarations
    from clients.ios.checking.syntax import SourceFile

__all__ = ["PLATFORM_CALLS", "PLATFORM_TYPES", "undeclared"]

PLATFORM_TYPES: Final = frozenset(
    {
        "Bool",
        "Data",
        "Double",
        "Duration",
        "Float",
        "Foundation",
        "Hashable",
        "Int32",
        "Int64",
        "Sendable",
        "String",
        "UInt32",
        "UInt64",
        "URL",
        "discardableResult",
    }
)
"""What generated code uses of Swift and Foundation."""

PLATFORM_CALLS: Final = frozenset({"Data", "milliseconds"})
"""What it calls of them."""


def undeclared(file: SourceFile, declared: Declarations) -> Iterator[str]:
    """What a generated file names or calls that neither its package nor the platform has.

    Args:
        file: the file.
        declared: what the package declares, the file included.
    """
    for node in named(file.root, "user_type"):
        yield from _types(file, node, declared)
    for node in named(file.root, "simple_identifier"):
        name = text_of(node).strip("`")
        is_value = node.parent is not None and node.parent.type in {
            "call_expression",
            "navigation_expression",
        }
        if is_value and name[:1].isupper() and not _is_known(name, declared):
            yield file.problem(node, f"nothing is called {name}")
    for node in named(file.root, "call_expression"):
        yield from _call(file, node, declared)


def _is_known(name: str, declared: Declarations) -> bool:
    return name in declared.types or name in PLATFORM_TYPES


def _types(file: SourceFile, node: Node, declared: Declarations) -> Iterator[str]:
    names = [
        text_of(child).strip("`") for child in node.children if child.type == "type_identifier"
    ]
    for name in names:
        if not _is_known(name, declared):
            yield file.problem(node, f"no type is called {name}")
            return
    for holder, name in pairwise(names):
        if name not in declared.members[holder]:
            yield file.problem(node, f"{holder} holds no type {name}")


def _call(file: SourceFile, node: Node, declared: Declarations) -> Iterator[str]:
    callee, *suffixes = node.children
    arguments = next(
        (each for suffix in suffixes for each in named(suffix, "value_arguments")), None
    )
    identifiers = [
        text_of(each).strip("`") for each in named(callee, "simple_identifier", "type_identifier")
    ]
    if not identifiers or arguments is None:
        return
    name = identifiers[-1]
    if name in PLATFORM_CALLS:
        return
    labels = [_label(each) for each in arguments.children if each.type == "value_argument"]
    if not declared.accepts(name, labels):
        shown = "".join(f"{label or '_'}:" for label in labels)
        yield file.problem(node, f"nothing can be called as {name}({shown})")


def _label(argument: Node) -> str:
    name = argument.child_by_field_name("name")
    return "" if name is None else text_of(name).strip("`")
