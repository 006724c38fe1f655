"""Collects what Swift files declare: types, and what functions, initializers and cases take."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clients.ios.checking.syntax import named, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tree_sitter import Node

    from clients.ios.checking.syntax import SourceFile

__all__ = ["Declarations", "Parameter"]

_TYPES = ("class_declaration", "protocol_declaration", "typealias_declaration")
_FUNCTIONS = ("function_declaration", "protocol_function_declaration")


@dataclass(frozen=True)
class Parameter:
    """What a call may pass.

    Attributes:
        label: what it is called there; empty for one that has no label.
        is_optional: whether a call can leave it out.
    """

    label: str
    is_optional: bool


class Declarations:
    """What some files declare.

    Args:
        files: the files.

    Attributes:
        types: the names of types, also of those that are parameters.
        members: the names of types by the type that holds them.
        signatures: what calls of a name may pass; those of a type are its initializers.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self.types: set[str] = set()
        self.members: dict[str, set[str]] = defaultdict(set)
        self.signatures: dict[str, list[tuple[Parameter, ...]]] = defaultdict(list)
        for file in files:
            self._collect(file.root, "")
            for node in named(file.root, "type_parameter", "associatedtype_declaration"):
                name = next(named(node, "type_identifier"), None)
                if name is not None:
                    self.types.add(text_of(name))

    def _collect(self, node: Node, holder: str) -> None:
        inside = holder
        if node.type in _TYPES:
            inside = _name(node)
            self.types.add(inside)
            self.members[holder].add(inside)
            if node.type == "class_declaration":
                self.signatures[inside] += _memberwise(node)
        elif node.type == "init_declaration":
            self.signatures[holder].append(tuple(_parameters(node)))
        elif node.type in _FUNCTIONS:
            self.signatures[_name(node)].append(tuple(_parameters(node)))
        elif node.type == "enum_entry":
            for name in node.children_by_field_name("name"):
                payload = node.child_by_field_name("data_contents")
                count = 0 if payload is None else len(payload.children_by_field_name("name"))
                self.signatures[_plain(name)].append((Parameter("", is_optional=False),) * count)
        for child in node.children:
            self._collect(child, inside)

    def accepts(self, name: str, labels: Sequence[str]) -> bool:
        """Whether a call of a name can have arguments with these labels."""
        return any(_fits(signature, labels) for signature in self.signatures[name])


def _fits(signature: Sequence[Parameter], labels: Sequence[str]) -> bool:
    left = list(labels)
    for parameter in signature:
        if left and left[0] == parameter.label:
            left.pop(0)
        elif not parameter.is_optional:
            return False
    return not left


def _name(node: Node) -> str:
    name = node.child_by_field_name("name")
    return "" if name is None else _plain(name)


def _plain(node: Node) -> str:
    return text_of(node).strip("`")


def _parameters(node: Node) -> Iterator[Parameter]:
    for at, child in enumerate(node.children):
        if child.type == "parameter":
            label = child.child_by_field_name("external_name") or child.child_by_field_name("name")
            text = "" if label is None else _plain(label)
            follows = node.children[at + 1] if at + 1 < len(node.children) else None
            is_optional = follows is not None and follows.type == "="
            yield Parameter("" if text == "_" else text, is_optional)


def _memberwise(node: Node) -> Iterator[tuple[Parameter, ...]]:
    """The initializer that a struct has when it states none."""
    body = node.child_by_field_name("body")
    kinds = {child.type for child in node.children}
    if body is None or "struct" not in kinds:
        return
    if any(child.type == "init_declaration" for child in body.children):
        return
    found = []
    for child in body.children:
        is_stored = child.type == "property_declaration" and not any(
            each.type in {"computed_property", "protocol_property_requirements"}
            for each in child.children
        )
        if is_stored and "static" not in {
            text_of(each) for each in named(child, "property_modifier")
        }:
            name = next(named(child, "simple_identifier"))
            has_value = child.child_by_field_name("value") is not None
            is_variable = any(
                text_of(each) == "var" for each in named(child, "value_binding_pattern")
            )
            kind = next(named(child, "type_annotation"), None)
            is_nil = kind is not None and text_of(kind).endswith("?")
            if is_variable or not has_value:
                found.append(Parameter(_plain(name), has_value or (is_nil and is_variable)))
    yield tuple(found)
