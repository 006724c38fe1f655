"""Writes what messages and enums are to those who call: data classes and sealed interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codegen.contract.declarations import EMPTY
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
from codegen.kotlin.names import NameAllocator, string
from codegen.kotlin.source import WIDTH, documentation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from codegen.contract.model import FieldType
    from codegen.kotlin.module import Module

__all__ = [
    "enum_class",
    "enum_constants",
    "is_empty",
    "message_class",
    "needs_nothing",
    "single_type",
]

_SCALARS: Final = {
    "bool": ("Boolean", "false"),
    "bytes": ("ByteString", "ByteString.EMPTY"),
    "double": ("Double", "0.0"),
    "float": ("Float", "0f"),
    "int32": ("Int", "0"),
    "int64": ("Long", "0L"),
    "string": ("String", '""'),
    "uint32": ("UInt", "0u"),
    "uint64": ("ULong", "0uL"),
}

_WELL_KNOWN: Final = {
    WellKnown.TIMESTAMP: "Instant",
    WellKnown.DURATION: "Duration",
    WellKnown.FIELD_MASK: "FieldMask",
}


def enum_constants(enum: Enum) -> dict[str, str]:
    """The constants of an enum's values by the names of these."""
    names = NameAllocator({"Companion"})
    return {value.name: names.take(value.attribute) for value in enum.values}


def enum_class(enum: Enum, module: Module) -> str:
    """A class with a constant for each value, which holds values of a newer server as well."""
    name = module.own(enum.full_name)
    inline = module.imports.known("JvmInline")
    text = module.imports.known("String")
    rows = [
        *documentation(enum.comment),
        f"@{inline}",
        f"value class {name}(override val name: {text}) : {module.imports.known('OpenEnum')} {{",
        f"    override fun toString(): {text} = name",
        "",
        "    companion object {",
    ]
    constants = enum_constants(enum)
    first: dict[int, str] = {}
    for value in enum.values:
        # Of two names of one number, the first is written.
        written = first.setdefault(value.number, value.name)
        rows += documentation(value.comment, 8)
        rows.append(f"        val {constants[value.name]}: {name} = {name}({string(written)})")
    return "\n".join([*rows, "    }", "}"])


def is_empty(type_: FieldType) -> bool:
    """Whether a type is `google.protobuf.Empty`."""
    return isinstance(type_, TypeRef) and type_.full_name == EMPTY


def needs_nothing(message: Message, module: Module) -> bool:
    """Whether a message can be made without saying anything."""
    return all(_has_default(message, member, module) for member in message.members)


def message_class(message: Message, module: Module) -> str:
    """The class of a message, with those of its oneofs."""
    name = module.own(message.full_name)
    comment = documentation(message.comment)
    if not message.members:
        return "\n".join([*comment, f"class {name} : {module.imports.known('EmptyMessage')}()"])
    oneofs = module.oneofs[message.full_name]
    # Inside of a class, its own names come first.
    hidden = {each.interface for each in oneofs.values()}
    rows = [*comment, f"data class {name}("]
    for member in message.members:
        rows += documentation(member.comment, 4)
        rows.append(f"    {_property(message, member, module, hidden)},")
    if not oneofs:
        return "\n".join([*rows, ")"])
    rows.append(") {")
    nested = [
        _oneof(message, member, module, hidden)
        for member in message.members
        if isinstance(member, OneOf)
    ]
    return "\n".join([*rows, "\n\n".join(nested), "}"])


def _has_default(message: Message, member: Field | OneOf, module: Module) -> bool:
    if isinstance(member, OneOf):
        return True
    is_given = module.home(message.full_name).is_given(message, member.name)
    return member.presence is not Presence.REQUIRED and not is_given


def _property(
    message: Message, member: Field | OneOf, module: Module, hidden: Collection[str]
) -> str:
    name = f"val {module.properties[message.full_name][member.name]}"
    if isinstance(member, OneOf):
        return f"{name}: {module.oneofs[message.full_name][member.name].interface}? = null"
    single = single_type(member.type, module, hidden)
    type_, default = single, ""
    if member.map is not None:
        key = module.imports.known(_SCALARS[member.map.key.json_kind][0], hidden)
        type_, default = f"{module.imports.known('Map', hidden)}<{key}, {single}>", "emptyMap()"
    elif member.repeated:
        type_, default = f"{module.imports.known('List', hidden)}<{single}>", "emptyList()"
    elif member.presence is Presence.OPTIONAL:
        # A path needs it, although it can be absent elsewhere.
        type_, default = f"{single}?", "null"
    elif member.presence is Presence.ALWAYS:
        default = _default(member.type, module, hidden)
    whole = f"{name}: {type_}"
    return f"{whole} = {default}" if _has_default(message, member, module) else whole


def _oneof(message: Message, oneof: OneOf, module: Module, hidden: Collection[str]) -> str:
    names = module.oneofs[message.full_name][oneof.name]
    hidden = {*hidden, *names.cases.values()}
    text = oneof.comment or f"What [{module.properties[message.full_name][oneof.name]}] can hold."
    rows = [*documentation(text, 4), f"    sealed interface {names.interface} {{"]
    for at, case in enumerate(oneof.cases):
        rows += [""] if at else []
        rows += documentation(case.comment, 8)
        rows += _case(names.cases[case.name], names.interface, case, module, hidden)
    return "\n".join([*rows, "    }"])


def _case(
    name: str, interface: str, case: Field, module: Module, hidden: Collection[str]
) -> Iterator[str]:
    if is_empty(case.type):
        yield f"        data object {name} : {interface}"
        return
    line = f"        data class {name}(val value: {single_type(case.type, module, hidden)})"
    whole = f"{line} : {interface}"
    if len(whole) <= WIDTH:
        yield whole
    else:
        yield f"{line} :"
        yield f"            {interface}"


def single_type(type_: FieldType, module: Module, hidden: Collection[str] = ()) -> str:
    """The type of a field's single values.

    Args:
        type_: the type in the contract.
        module: the file in which it is named.
        hidden: names that mean something else where it is written.
    """
    if isinstance(type_, TypeRef):
        return module.type(type_, hidden)
    if isinstance(type_, Wrapper):
        return single_type(type_.scalar, module, hidden)
    if isinstance(type_, WellKnown):
        return module.imports.known(_WELL_KNOWN[type_], hidden)
    return module.imports.known(_SCALARS[type_.json_kind][0], hidden)


def _default(type_: FieldType, module: Module, hidden: Collection[str]) -> str:
    if isinstance(type_, Scalar):
        name, value = _SCALARS[type_.json_kind]
        return value.replace(name, module.imports.known(name, hidden))
    assert isinstance(type_, TypeRef)
    enum = module.types[type_.full_name]
    assert isinstance(enum, Enum)
    constants = enum_constants(enum)
    zero = next(value.name for value in enum.values if value.number == 0)
    return f"{module.type(type_, hidden)}.{constants[zero]}"
