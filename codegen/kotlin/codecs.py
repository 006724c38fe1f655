"""Writes what reads and writes messages: one object for each, which the run-time calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from codegen.kotlin.names import NameAllocator, string
from codegen.kotlin.source import bracketed
from codegen.kotlin.types import is_empty

if TYPE_CHECKING:
    from codegen.contract.model import FieldType
    from codegen.kotlin.module import Module

__all__ = ["enum_codec", "message_codec"]

_WELL_KNOWN: Final = {
    WellKnown.TIMESTAMP: "TIMESTAMP",
    WellKnown.DURATION: "DURATION",
    WellKnown.FIELD_MASK: "FIELD_MASK",
}

# What functions of the object call something, and what it has by itself.
_TAKEN: Final = {"from", "it", "message", "to", "typeName"}


def enum_codec(enum: Enum, module: Module) -> str:
    """The numbers of an enum's values."""
    name, type_ = module.own(enum.full_name), module.imports.known("EnumType")
    rows = [f"            {string(value.name)} to {value.number}," for value in enum.values]
    return "\n".join(
        [
            f"internal object {module.own_codec(enum.full_name)} :",
            f"    {type_}<{name}>(",
            f"        {string(enum.full_name)},",
            f"        ::{name},",
            "        mapOf(",
            *rows,
            "        ),",
            "    )",
        ]
    )


def message_codec(message: Message, module: Module) -> str:
    """The fields of a message, how it is made of them, and how they are taken from it."""
    name, imports = module.own(message.full_name), module.imports
    properties = module.properties[message.full_name]
    names = NameAllocator(_TAKEN)
    fields = {member.name: names.take(properties[member.name]) for member in message.members}
    head = f"internal object {module.own_codec(message.full_name)} :"
    base = f"{imports.known('MessageType')}<{name}>({string(message.full_name)}) {{"
    rows = [f"{head} {base}"] if len(head) + len(base) < 100 else [head, f"    {base}"]
    for member in message.members:
        head = f"private val {fields[member.name]} = "
        rows.append(
            f"    {_oneof(head, message, member, module)}"
            if isinstance(member, OneOf)
            else f"    {_field(head, member, module)}"
        )
    rows += [""] if message.members else []
    received, written = imports.known("Received"), imports.known("Written")
    arguments = [f"{properties[m.name]} = from[{fields[m.name]}]" for m in message.members]
    made = bracketed(f"{name}(", arguments, ")", indent=8)
    rows.append(f"    override fun make(from: {received}): {name} =")
    rows.append(f"        {made}")
    rows.append("")
    head = f"    override fun take(message: {name}, to: {written})"
    if message.members:
        rows.append(f"{head} {{")
        rows += [
            f"        to[{fields[each.name]}] = message.{properties[each.name]}"
            for each in message.members
        ]
        rows.append("    }")
    else:
        rows.append(f"{head} = {imports.known('Unit')}")
    return "\n".join([*rows, "}"])


def _field(head: str, field: Field, module: Module) -> str:
    names = [string(each) for each in field.names]
    single = _value(field.type, module)
    if field.map is not None:
        key = module.imports.known(field.map.key.json_kind.upper())
        return bracketed(f"{head}map(", [key, single, *names], ")", indent=4)
    kind = "list" if field.repeated else field.presence.value
    if field.presence is Presence.ALWAYS and isinstance(field.type, TypeRef):
        # An enum, since messages are never there by themselves.
        single = single if field.repeated else module.codec(field.type)
    return bracketed(f"{head}{kind}(", [single, *names], ")", indent=4)


def _oneof(head: str, message: Message, oneof: OneOf, module: Module) -> str:
    names = module.oneofs[message.full_name][oneof.name]
    interface = f"{module.own(message.full_name)}.{names.interface}"
    cases = []
    case_ = module.imports.known("Case")
    for case in oneof.cases:
        name = f"{interface}.{names.cases[case.name]}"
        if is_empty(case.type):
            unit = module.imports.known("Unit")
            make, take = f"{{ {name} }}", f"{{ if (it == {name}) {unit} else null }}"
        else:
            make, take = f"{{ {name}(it) }}", f"{{ (it as? {name})?.value }}"
        arguments = [_value(case.type, module), *(string(each) for each in case.names)]
        arguments += [f"make = {make}", f"take = {take}"]
        cases.append(bracketed(f"{case_}(", arguments, ")", indent=8))
    return bracketed(f"{head}oneof<{interface}>(", cases, ")", indent=4)


def _value(type_: FieldType, module: Module) -> str:
    if isinstance(type_, TypeRef):
        codec = module.codec(type_)
        if type_.is_enum:
            return codec
        return f"{module.imports.known('MessageValue')} {{ {codec} }}"
    if isinstance(type_, WellKnown):
        return module.imports.known(_WELL_KNOWN[type_])
    scalar = type_.scalar if isinstance(type_, Wrapper) else type_
    return module.imports.known(scalar.json_kind.upper())
