"""What messages and enums are called: a caseless enum for each package, which holds its types."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codegen.contract.declarations import EMPTY, FIELD_MASK
from codegen.contract.model import Enum, Message, OneOf, Scalar, TypeRef, WellKnown, Wrapper
from codegen.names import camel
from codegen.swift.names import (
    GENERATED,
    KEYWORDS,
    LANGUAGE,
    NameAllocator,
    namespace_name,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from codegen.contract.model import FieldType

__all__ = ["Namespace", "Namespaces"]

_SCALARS = {
    "bool": "Bool",
    "bytes": "Data",
    "double": "Double",
    "float": "Float",
    "int32": "Int32",
    "int64": "Int64",
    "string": "String",
    "uint32": "UInt32",
    "uint64": "UInt64",
}

_WELL_KNOWN = {
    WellKnown.TIMESTAMP: "Timestamp",
    WellKnown.DURATION: "Duration",
    WellKnown.FIELD_MASK: "FieldMask",
}


def _package(type_: Message | Enum) -> str:
    """The package of a type: what its full name has before its own name and those around it."""
    parts = type_.full_name.split(".")
    at = next(at for at in reversed(range(len(parts))) if "".join(parts[at:]) == type_.name)
    return ".".join(parts[:at])


class Namespace:
    """The names of one package.

    Args:
        name: what the package is called.
        reserved: what no type in it can be called.
    """

    def __init__(self, name: str, reserved: Iterable[str]) -> None:
        self.name = name
        self.names = NameAllocator({*reserved} - {name})
        self.types: dict[str, str] = {}
        self.oneofs: dict[str, str] = {}

    def add(self, type_: Message | Enum) -> None:
        """Give a type its name."""
        self.types[type_.full_name] = self.names.take(type_name(type_.name))

    def add_oneofs(self, message: Message) -> None:
        """Give a name to the enum of each oneof, which its message holds."""
        names = NameAllocator({*self.names.taken, self.name})
        for member in message.members:
            if isinstance(member, OneOf):
                wanted = type_name(camel(member.name))
                self.oneofs[f"{message.full_name}.{member.name}"] = names.take(wanted)


class Namespaces:
    """The names of all packages.

    Args:
        types: every message and enum that clients know, by full name.
        product: what the client is called.
        packages: those that may have methods and no types.
    """

    def __init__(
        self, types: Mapping[str, Message | Enum], product: str, packages: Iterable[str] = ()
    ) -> None:
        self._types = types
        self._packages = {name: _package(type_) for name, type_ in types.items()}
        packages = sorted({*packages, *self._packages.values()})
        reserved = LANGUAGE | GENERATED | KEYWORDS | {product, f"{product}Error"}
        top = NameAllocator(reserved)
        short = Counter(namespace_name(package, whole=False) for package in packages)
        names: dict[str, str] = {}
        for package in packages:
            is_shared = short[namespace_name(package, whole=False)] > 1
            names[package] = top.take(namespace_name(package, whole=is_shared))
        reserved |= frozenset(names.values())
        self.by_package = {each: Namespace(names[each], reserved) for each in packages}
        ordered = sorted(types.values(), key=lambda each: (each.location, each.full_name))
        for type_ in ordered:
            self.of(type_.full_name).add(type_)
        for type_ in ordered:
            if isinstance(type_, Message):
                self.of(type_.full_name).add_oneofs(type_)

    def of(self, full_name: str) -> Namespace:
        """The namespace of a type."""
        return self.by_package[self._packages[full_name]]

    def __contains__(self, full_name: str) -> bool:
        return full_name in self._types

    def own(self, full_name: str) -> str:
        """What a type is called in its namespace."""
        return self.of(full_name).types[full_name]

    def oneof(self, message: Message, oneof: OneOf) -> str:
        """What the enum of a oneof is called in its message."""
        return self.of(message.full_name).oneofs[f"{message.full_name}.{oneof.name}"]

    def reference(self, ref: TypeRef, inside: Namespace | None) -> str:
        """What a type is called.

        Args:
            ref: the type.
            inside: the namespace that the name stands in; None outside of all.
        """
        if ref.full_name == EMPTY:
            return "Empty"
        if ref.full_name == FIELD_MASK:
            return "FieldMask"
        home = self.of(ref.full_name)
        name = home.types[ref.full_name]
        return name if home is inside else f"{home.name}.{name}"

    def single(self, type_: FieldType, inside: Namespace) -> str:
        """The type of a field's single values."""
        if isinstance(type_, TypeRef):
            return self.reference(type_, inside)
        if isinstance(type_, WellKnown):
            return _WELL_KNOWN[type_]
        scalar: Scalar = type_.scalar if isinstance(type_, Wrapper) else type_
        return _SCALARS[scalar.json_kind]

    def enum(self, type_: FieldType) -> Enum | None:
        """The enum that a type is; None for others."""
        found = self._types.get(type_.full_name) if isinstance(type_, TypeRef) else None
        return found if isinstance(found, Enum) else None
