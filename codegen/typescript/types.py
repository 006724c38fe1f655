"""Writes what messages and enums are to those who call: interfaces and unions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import (
    Enum,
    Field,
    Message,
    OneOf,
    Presence,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.typescript.names import member_key, oneof_member, string
from codegen.typescript.source import documentation, union

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import FieldType
    from codegen.typescript.module import Module

__all__ = ["enum_type", "message_types", "single_type"]

_SCALARS = {
    Scalar.BOOL: "boolean",
    Scalar.BYTES: "Uint8Array",
    Scalar.STRING: "string",
    Scalar.INT64: "bigint",
    Scalar.UINT64: "bigint",
    Scalar.FIXED64: "bigint",
    Scalar.SFIXED64: "bigint",
    Scalar.SINT64: "bigint",
}


def enum_type(enum: Enum, module: Module) -> str:
    """The names of an enum's values, and whatever a newer server knows."""
    rows = [*documentation(enum.comment), f"export type {module.own(enum.full_name)} ="]
    for value in enum.values:
        rows += [*documentation(value.comment, 2), f"  | {string(value.name)}"]
    rows.append("  | (string & {});")
    return "\n".join(rows)


def message_types(message: Message, module: Module) -> Iterator[str]:
    """What is read of a message, and what is written of it."""
    roles = module.roles
    if message.full_name in roles.received:
        yield from _Writer(message, module, sent=False).written()
    if message.full_name in roles.sent:
        yield from _Writer(message, module, sent=True).written()


class _Writer:
    """Writes one of the types of a message."""

    def __init__(self, message: Message, module: Module, *, sent: bool) -> None:
        self._message = message
        self._module = module
        self._sent = sent
        self._required = module.roles.path_fields.get(message.full_name, frozenset())

    def written(self) -> Iterator[str]:
        name = self._module.own(self._message.full_name, sent=self._sent)
        comment = documentation(self._message.comment)
        if not self._message.members:
            empty = self._module.imports.runtime("Empty")
            yield "\n".join([*comment, f"export type {name} = {empty};"])
            return
        rows = [*comment, f"export interface {name} {{"]
        aliases = []
        for member in self._message.members:
            rows += documentation(member.comment, 2)
            if isinstance(member, OneOf):
                alias = self._module.oneof(self._message, member, sent=self._sent)
                aliases.append(self._oneof(member, alias))
                rows.append(f"  {self._optional(oneof_member(self._message, member), alias)}")
            else:
                rows.append(f"  {self._field(member)}")
        yield "\n".join([*rows, "}"])
        yield from aliases

    def _oneof(self, oneof: OneOf, alias: str) -> str:
        values = {
            case.json_name: single_type(case.type, self._module, sent=self._sent)
            for case in oneof.cases
        }
        cases = [f"{{ case: {string(name)}; value: {type_} }}" for name, type_ in values.items()]
        text = oneof.comment or f"What `{oneof_member(self._message, oneof)}` can hold."
        return "\n".join([*documentation(text), union(f"export type {alias} =", cases)])

    def _field(self, field: Field) -> str:
        key = field.json_name
        type_ = self._of(field)
        if self._sent:
            given = field.presence is Presence.REQUIRED or field.name in self._required
            return f"{member_key(key)}: {type_};" if given else self._optional(key, type_)
        if field.presence is Presence.OPTIONAL:
            return f"{member_key(key)}?: {type_};"
        return f"{member_key(key)}: {type_};"

    def _optional(self, key: str, type_: str) -> str:
        if not self._sent:
            return f"{member_key(key)}?: {type_};"
        return f"{member_key(key)}?: {type_} | undefined;"

    def _of(self, field: Field) -> str:
        single = single_type(field.type, self._module, sent=self._sent)
        readonly = "readonly " if self._sent else ""
        if field.map is not None:
            record = f"Record<string, {single}>"
            return f"Readonly<{record}>" if self._sent else record
        if field.repeated:
            is_union = " " in single
            return f"{readonly}({single})[]" if is_union else f"{readonly}{single}[]"
        return single


def single_type(type_: FieldType, module: Module, *, sent: bool = False) -> str:
    """The type of a field's single values.

    Args:
        type_: the type in the contract.
        module: the module in which it is named.
        sent: whether values are written rather than read.
    """
    if isinstance(type_, TypeRef):
        return module.type(type_, sent=sent)
    if isinstance(type_, Wrapper):
        return single_type(type_.scalar, module, sent=sent)
    if type_ is WellKnown.TIMESTAMP:
        timestamp = module.imports.runtime("Timestamp")
        return f"{timestamp} | Date" if sent else timestamp
    if type_ is WellKnown.DURATION:
        return module.imports.runtime("Duration")
    if isinstance(type_, WellKnown):
        return "readonly string[]" if sent else "string[]"
    return _SCALARS.get(type_, "number")
