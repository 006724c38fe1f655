"""Writes what the run-time reads and writes messages by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.client.names import lower_camel
from codegen.contract.model import (
    Enum,
    Field,
    Message,
    OneOf,
    Presence,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.typescript.names import member_key, oneof_member, string
from codegen.typescript.source import bracketed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import FieldType
    from codegen.typescript.module import Module

__all__ = ["enum_schema", "message_schema"]

_WELL_KNOWN = {
    WellKnown.TIMESTAMP: "timestamp",
    WellKnown.DURATION: "duration",
    WellKnown.FIELD_MASK: "fieldMask",
}


def enum_schema(enum: Enum, module: Module) -> str:
    """The numbers of an enum's values."""
    type_ = module.imports.runtime("EnumType")
    rows = [f"    {member_key(value.name)}: {value.number}," for value in enum.values]
    return "\n".join(
        [
            f"export const {module.own_schema(enum.full_name)}: {type_} = {{",
            f"  name: {string(enum.full_name)},",
            "  numbers: {",
            *rows,
            "  },",
            "};",
        ]
    )


def message_schema(message: Message, module: Module) -> str:
    """The fields of a message."""
    type_ = module.imports.runtime("MessageType")
    shape = module.own(message.full_name, sent=message.full_name not in module.roles.received)
    head = f"export const {module.own_schema(message.full_name)}: {type_}<{shape}> = {{"
    rows = [head, f"  name: {string(message.full_name)},"]
    if message.error is not None:
        rows.append(f"  code: {string(message.error.code)},")
    fields = [f"    {_entry(message, field, oneof, module)}," for field, oneof in _fields(message)]
    rows += ["  fields: {", *fields, "  },"] if fields else ["  fields: {},"]
    return "\n".join([*rows, "};"])


def _fields(message: Message) -> Iterator[tuple[Field, OneOf | None]]:
    for member in message.members:
        if isinstance(member, OneOf):
            yield from ((case, member) for case in member.cases)
        else:
            yield member, None


def _entry(message: Message, field: Field, oneof: OneOf | None, module: Module) -> str:
    properties = [f"type: {_type(field.type, module)}"]
    if oneof is not None:
        properties.append(f"oneof: {string(oneof_member(message, oneof))}")
    elif field.presence is not Presence.ALWAYS:
        properties.append(f"presence: {string(field.presence.value)}")
    if field.repeated:
        properties.append("repeated: true")
    if field.map is not None:
        properties.append(f"key: {string(field.map.key.json_kind)}")
    if lower_camel(field.name) != field.json_name:
        properties.append(f"protoName: {string(field.name)}")
    head = f"{member_key(field.json_name)}: {{"
    return bracketed(head, properties, "}", indent=4, spaced=True)


def _type(type_: FieldType, module: Module) -> str:
    if isinstance(type_, TypeRef):
        schema = module.schema(type_)
        return schema if type_.is_enum else f"() => {schema}"
    if isinstance(type_, WellKnown):
        return string(_WELL_KNOWN[type_])
    scalar = type_.scalar if isinstance(type_, Wrapper) else type_
    return string(scalar.json_kind)
