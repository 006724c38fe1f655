"""Writes messages: structs with an initializer, and how they are read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.contract.model import Field, Message, OneOf, Presence
from codegen.swift.enums import zero_case
from codegen.swift.names import (
    ENUM_MEMBERS,
    MESSAGE_MEMBERS,
    NameAllocator,
    case_name,
    escaped,
    member_name,
    string,
)
from codegen.swift.source import bracketed, documentation, indented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import FieldType, Member
    from codegen.swift.namespaces import Namespaces
    from codegen.swift.recursion import Recursion

__all__ = ["MessageWriter", "needs_something"]

_DEFAULTS = {"Bool": "false", "Data": "Data()", "String": '""'}


@dataclass(frozen=True)
class _Property:
    """A property of a struct.

    Attributes:
        member: what it stands for.
        name: what it is called.
        type: its type.
        default: its value when nothing is said; empty when something must be.
        is_indirect: whether its value lies elsewhere.
    """

    member: Member
    name: str
    type: str
    default: str
    is_indirect: bool


def needs_something(message: Message, path_fields: frozenset[str]) -> bool:
    """Whether no message can be made without saying what is in it."""
    return any(
        field.presence is Presence.REQUIRED or field.name in path_fields for field in message.fields
    )


class MessageWriter:
    """Writes one message.

    Args:
        message: the message.
        namespaces: what types are called.
        recursion: which messages hold themselves.
        path_fields: the fields that a path needs.
    """

    def __init__(
        self,
        message: Message,
        namespaces: Namespaces,
        recursion: Recursion,
        path_fields: frozenset[str],
    ) -> None:
        self._message = message
        self._namespaces = namespaces
        self._recursion = recursion
        self._path_fields = path_fields
        self._inside = namespaces.of(message.full_name)
        self._cases: dict[str, str] = {}
        names = NameAllocator(MESSAGE_MEMBERS)
        self._properties: list[_Property] = []
        for member in message.members:
            name = names.take(member_name(member.name, MESSAGE_MEMBERS))
            self._properties.append(self._property(member, name))
            if isinstance(member, OneOf):
                cases = NameAllocator(ENUM_MEMBERS)
                for case in member.cases:
                    self._cases[case.name] = cases.take(case_name(case.name))

    def written(self) -> list[str]:
        """The declaration of the message."""
        message = self._message
        name = self._inside.types[message.full_name]
        rows = [
            *documentation(message.comment, outside=4),
            f"public struct {name}: ContractMessage, JSONForm {{",
            "    /// The message's full name in the contract.",
            f"    public static let contractName = {string(message.full_name)}",
            "",
        ]
        for each in self._properties:
            rows += documentation(self._said(each.member), 4, outside=4)
            if each.is_indirect:
                rows.append("    @Indirect")
            rows.append(f"    public var {escaped(each.name)}: {each.type}")
        rows += [""] if self._properties else []
        for block in (self._initializer(), self._reader(), self._writer()):
            rows += [*indented(block), ""]
        for each in self._properties:
            if isinstance(each.member, OneOf):
                rows += [*indented(self._oneof(each.member)), ""]
        return [*rows[:-1], "}"]

    def _property(self, member: Member, name: str) -> _Property:
        leads_back = self._recursion.leads_back(self._message, member)
        if isinstance(member, OneOf):
            type_ = self._namespaces.oneof(self._message, member)
            # Its enum is indirect where it has to be.
            return _Property(member, name, f"{type_}?", "nil", is_indirect=False)
        single = self._namespaces.single(member.type, self._inside)
        if member.map is not None:
            key = self._namespaces.single(member.map.key, self._inside)
            return _Property(member, name, f"[{key}: {single}]", "[:]", is_indirect=False)
        if member.repeated:
            return _Property(member, name, f"[{single}]", "[]", is_indirect=False)
        if member.presence is Presence.OPTIONAL:
            return _Property(member, name, f"{single}?", "nil", is_indirect=leads_back)
        default = ""
        if member.presence is Presence.ALWAYS and member.name not in self._path_fields:
            default = self._zero(member.type, single)
        return _Property(member, name, single, default, is_indirect=leads_back)

    def _zero(self, type_: FieldType, single: str) -> str:
        enum = self._namespaces.enum(type_)
        return zero_case(enum) if enum is not None else _DEFAULTS.get(single, "0")

    def _initializer(self) -> list[str]:
        parameters = [
            f"{escaped(each.name)}: {each.type}{f' = {each.default}' if each.default else ''}"
            for each in self._properties
        ]
        rows = [f"self.{each.name} = {escaped(each.name)}" for each in self._properties]
        head = bracketed("public init(", parameters, ") {", outside=8)
        title = "/// Make a message; what is not said is its default."
        return [title, *head, *indented(rows), "}"]

    def _said(self, member: Member) -> str:
        if member.comment or isinstance(member, Field):
            return member.comment
        *others, last = (f"`{self._cases[case.name]}`" for case in member.cases)
        return f"{', '.join(others)} or {last}." if others else f"{last}, or nothing."

    def _reader(self) -> list[str]:
        rows: list[str] = []
        for each in self._properties:
            if isinstance(each.member, OneOf):
                rows += self._read_oneof(each, each.member)
            else:
                rows.append(f"self.{each.name} = try {self._read(each.member)}")
        return [
            "/// Read the fields of an object.",
            "public init(from object: MessageReader) throws(InvalidValue) {",
            *indented(rows),
            "}",
        ]

    def _read(self, field: Field) -> str:
        names = ", ".join(string(name) for name in field.names)
        if not field.is_single:
            return f"object.{'list' if field.map is None else 'map'}({names})"
        if field.presence is Presence.REQUIRED:
            return f"object.required({names})"
        if field.presence is Presence.OPTIONAL:
            return f"object.value({names})"
        single = self._namespaces.single(field.type, self._inside)
        return f"object.value({names}) ?? {self._zero(field.type, single)}"

    def _read_oneof(self, each: _Property, oneof: OneOf) -> Iterator[str]:
        names = [string(name) for case in oneof.cases for name in case.names]
        yield from bracketed("try object.checkOneOf([", names, "])", outside=12)
        keyword = "if"
        for case in oneof.cases:
            type_ = self._namespaces.single(case.type, self._inside)
            arguments = ", ".join(string(name) for name in case.names)
            yield f"{keyword} let value: {type_} = try object.value({arguments}) {{"
            yield f"    self.{each.name} = .{escaped(self._cases[case.name])}(value)"
            keyword = "} else if"
        yield "} else {"
        yield f"    self.{each.name} = nil"
        yield "}"

    def _writer(self) -> list[str]:
        rows: list[str] = []
        for each in self._properties:
            if isinstance(each.member, OneOf):
                rows += self._write_oneof(each, each.member)
            else:
                is_required = each.member.presence is Presence.REQUIRED
                put = "putAlways" if is_required else "put"
                key = string(each.member.json_name)
                rows.append(f"try object.{put}({key}, self.{each.name})")
        return [
            "/// Write the fields into an object.",
            "public func write(to object: inout MessageWriter) throws(InvalidValue) {",
            *indented(rows),
            "}",
        ]

    def _write_oneof(self, each: _Property, oneof: OneOf) -> Iterator[str]:
        yield f"switch self.{each.name} {{"
        for case in oneof.cases:
            name = escaped(self._cases[case.name])
            put = f"try object.putAlways({string(case.json_name)}, value)"
            yield f"case .{name}(let value): {put}"
        yield "case nil: break"
        yield "}"

    def _oneof(self, oneof: OneOf) -> list[str]:
        name = self._namespaces.oneof(self._message, oneof)
        indirect = "indirect " if self._recursion.leads_back(self._message, oneof) else ""
        property_ = member_name(oneof.name, MESSAGE_MEMBERS)
        rows = documentation(oneof.comment or f"What `{property_}` can hold.", outside=8)
        rows.append(f"public {indirect}enum {name}: Sendable, Hashable {{")
        for case in oneof.cases:
            type_ = self._namespaces.single(case.type, self._inside)
            rows += documentation(case.comment, 4, outside=8)
            rows.append(f"    case {escaped(self._cases[case.name])}({type_})")
        return [*rows, "}"]
