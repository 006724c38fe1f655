"""What the files of a request declare, before any of them is read in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from codegen import names
from codegen.contract.model import TypeRef
from codegen.contract.options import FIELD_BEHAVIOR, RULES, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        FieldDescriptorProto,
        FileDescriptorProto,
    )

__all__ = ["EMPTY", "FIELD_MASK", "REQUIRED", "Declarations", "declares_options"]

EMPTY = "google.protobuf.Empty"
FIELD_MASK = "google.protobuf.FieldMask"

REQUIRED: Final = 2
"""google.api.FieldBehavior.REQUIRED"""

# Messages of Google's that can be well-formed and yet hold no value of their Python type.
_FALLIBLE = ("Timestamp", "Duration", "FieldMask")

# Why a well-known type has no counterpart among records.
_GOOGLE = {
    "google/protobuf/any.proto": "what can hold anything is no contract; declare a oneof",
    "google/protobuf/struct.proto": "JSON without a shape is no contract; declare a message",
}

# Messages of Google's whose records are written by hand.
_RUNTIME_RECORDS = frozenset({EMPTY, FIELD_MASK})


@dataclass(frozen=True)
class Declarations:
    """What reading one file needs to know of the others.

    Attributes:
        options: reads the options of all files.
        modules: the records module of each file.
        types: every message and enum by full name.
        without_records: the types that are generated nowhere, such as google.rpc's, by full name;
            and why.
        fallible: the full names of messages that can be well-formed and yet no valid record.
        ruled: the full names of messages of which a field, or one of what they hold, has rules.
    """

    options: Options
    modules: Mapping[str, str]
    types: Mapping[str, TypeRef]
    without_records: Mapping[str, str]
    fallible: frozenset[str]
    ruled: frozenset[str]

    @classmethod
    def of(
        cls,
        files: Iterable[FileDescriptorProto],
        wanted: frozenset[str],
        modules: Mapping[str, str],
    ) -> Declarations:
        """The declarations of all files of a request.

        Args:
            files: the files, each after those that it imports.
            wanted: the names of those to generate from.
            modules: the records modules of files that are not at their default place.

        Raises:
            RefusedContractError: Python's protobuf runtime refuses a file.
        """
        files = tuple(files)
        homes = {f.name: modules.get(f.name, names.default_module(f.name)) for f in files}
        options = Options(files)
        values = {f".google.protobuf.{name}" for name in _FALLIBLE}
        return cls(
            options=options,
            modules=homes,
            types={
                full_name: TypeRef(
                    full_name,
                    name,
                    names.RUNTIME_RECORDS if full_name in _RUNTIME_RECORDS else homes[file.name],
                    is_enum,
                )
                for file in files
                for full_name, name, is_enum in _types_of(file)
            },
            without_records={
                full_name: reason
                for file in files
                if (reason := _without_records(file, file.name in wanted | modules.keys()))
                for full_name, _, _ in _types_of(file)
                if full_name not in _RUNTIME_RECORDS
            },
            fallible=_holders(
                files,
                lambda field: REQUIRED in options.numbers(field.options, FIELD_BEHAVIOR),
                values,
            ),
            ruled=_holders(files, lambda field: options.get(field.options, RULES) is not None),
        )


def declares_options(file: FileDescriptorProto) -> bool:
    """Whether a file describes contracts rather than data: it extends descriptor options."""
    return bool(file.extension) and all(
        extension.extendee.startswith(".google.protobuf.")
        and extension.extendee.endswith("Options")
        for extension in file.extension
    )


def _without_records(file: FileDescriptorProto, is_generated: bool) -> str:
    """Why no records are generated from a file; empty when they are."""
    if file.name.startswith("google/") and not is_generated:
        return _GOOGLE.get(
            file.name,
            "of Google's types, Timestamp, Duration, Empty, FieldMask and the wrappers are",
        )
    if declares_options(file):
        return f"{file.name} declares options of contracts, from which no records are generated"
    if file.syntax != "proto3":
        return f"{file.name} is not written in proto3"
    return ""


def _types_of(file: FileDescriptorProto) -> Iterator[tuple[str, str, bool]]:
    """Full name, class name and whether it is an enum, for every type of a file."""
    prefix = f"{file.package}." if file.package else ""

    def inside(message: DescriptorProto, full: str, name: str) -> Iterator[tuple[str, str, bool]]:
        yield full, name, False
        for nested in message.nested_type:
            if not nested.options.map_entry:
                yield from inside(nested, f"{full}.{nested.name}", name + nested.name)
        for enum in message.enum_type:
            yield f"{full}.{enum.name}", name + enum.name, True

    for message in file.message_type:
        yield from inside(message, prefix + message.name, message.name)
    for enum in file.enum_type:
        yield prefix + enum.name, enum.name, True


def _holders(
    files: Iterable[FileDescriptorProto],
    marked: Callable[[FieldDescriptorProto], bool],
    known: AbstractSet[str] = frozenset(),
) -> frozenset[str]:
    """The messages that hold a marked field, or one of some messages, at any depth.

    Args:
        files: where they are declared.
        marked: tells a field.
        known: the messages, with a dot in front.
    """
    holds: dict[str, set[str]] = {}
    found = set(known)

    def visit(message: DescriptorProto, full: str) -> None:
        holds[full] = {field.type_name for field in message.field if field.type_name}
        if any(marked(field) for field in message.field):
            found.add(full)
        for nested in message.nested_type:
            visit(nested, f"{full}.{nested.name}")

    for file in files:
        for message in file.message_type:
            visit(
                message, f".{file.package}.{message.name}" if file.package else f".{message.name}"
            )
    grown = True
    while grown:
        new = {name for name, inner in holds.items() if inner & found} - found
        found |= new
        grown = bool(new)
    return frozenset(name.removeprefix(".") for name in found)
