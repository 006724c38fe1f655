"""Reads one file of a contract, and refuses in it what the generators cannot handle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from codegen import names
from codegen.contract.comments import SourceInfo
from codegen.contract.declarations import REQUIRED
from codegen.contract.errors import ErrorReader
from codegen.contract.events import EventReader
from codegen.contract.model import (
    ContractFile,
    Enum,
    EnumValue,
    Field,
    FieldType,
    Location,
    MapType,
    Member,
    Message,
    OneOf,
    Presence,
    Problem,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.contract.options import FIELD_BEHAVIOR
from codegen.contract.reserved import NameChecker
from codegen.contract.rules import RuleReader
from codegen.contract.services import ServiceReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.contract.declarations import Declarations

__all__ = ["FileReader"]

_File = FileDescriptorProto
_Message = DescriptorProto
_Path = tuple[int, ...]

_WELL_KNOWN: Mapping[str, FieldType] = {
    ".google.protobuf.Timestamp": WellKnown.TIMESTAMP,
    ".google.protobuf.Duration": WellKnown.DURATION,
    ".google.protobuf.FieldMask": WellKnown.FIELD_MASK,
    ".google.protobuf.DoubleValue": Wrapper(Scalar.DOUBLE),
    ".google.protobuf.FloatValue": Wrapper(Scalar.FLOAT),
    ".google.protobuf.Int64Value": Wrapper(Scalar.INT64),
    ".google.protobuf.UInt64Value": Wrapper(Scalar.UINT64),
    ".google.protobuf.Int32Value": Wrapper(Scalar.INT32),
    ".google.protobuf.UInt32Value": Wrapper(Scalar.UINT32),
    ".google.protobuf.BoolValue": Wrapper(Scalar.BOOL),
    ".google.protobuf.StringValue": Wrapper(Scalar.STRING),
    ".google.protobuf.BytesValue": Wrapper(Scalar.BYTES),
}

_SCALARS = {
    number: Scalar(name.removeprefix("TYPE_").lower())
    for name, number in FieldDescriptorProto.Type.items()
    if name.removeprefix("TYPE_").lower() in {scalar.value for scalar in Scalar}
}


class FileReader:
    """Reads one file.

    Everything wrong with the file is collected, so that a person who fixes a contract sees all of
    it at once.

    Args:
        file: the file.
        declarations: what all files declare.

    Attributes:
        messages: the messages, each before those inside it.
        enums: the enums.
        problems: what is wrong.
    """

    def __init__(self, file: _File, declarations: Declarations) -> None:
        self.file = file
        self.messages: list[Message] = []
        self.enums: list[Enum] = []
        self.problems: list[Problem] = []
        self._declarations = declarations
        self._source = SourceInfo(file)
        self._errors = ErrorReader(declarations.options, self._source, self.problems)
        self._events = EventReader(declarations.options, self._source, self.problems)
        self._rules = RuleReader(declarations.options, self.problems)
        self._checked = NameChecker(self.problems)
        if file.syntax != "proto3":
            place = self._source.location(12)
            found = file.syntax or "proto2"
            self._refuse(place, f"{found} is not supported; write the contract in proto3")
            return
        prefix = f"{file.package}." if file.package else ""
        for i, message in enumerate(file.message_type):
            self._checked.in_file(message.name, self._source.location(4, i))
            self._message(message, prefix + message.name, message.name, message.name, (4, i))
        for i, enum in enumerate(file.enum_type):
            self._checked.in_file(enum.name, self._source.location(5, i))
            for j, value in enumerate(enum.value):
                self._checked.in_file(value.name, self._source.location(5, i, 2, j))
            self._enum(enum, prefix + enum.name, enum.name, (5, i))
        for i, _ in enumerate(file.extension):
            self._refuse(self._source.location(7, i), "extensions are not supported")

    def finish(
        self, types: dict[str, Message | Enum], dependencies: Mapping[str, tuple[str, ...]]
    ) -> ContractFile:
        """The file, when the types of all files are known."""
        self._checked.path(self.file.name, self._declarations.modules[self.file.name])
        reader = ServiceReader(
            self.file,
            options=self._declarations.options,
            source=self._source,
            problems=self.problems,
            declarations=self._declarations,
            types=types,
        )
        services = reader.services()
        is_client_facing = self.file.name.rpartition("/")[2] == "api.proto"
        if is_client_facing or any(m.http for s in services for m in s.methods):
            self._check_imports(dependencies)
            self._events.refuse_in_client_facing(self.messages)
        path = self.file.name
        package, _, stem = names.default_module(path).rpartition(".")
        return ContractFile(
            path=path,
            module=self._declarations.modules[path],
            pb2_package=package,
            pb2_name=f"{stem}_pb2",
            messages=tuple(self.messages),
            enums=tuple(self.enums),
            services=services,
            comment=self._source.file_comment(),
            types=types,
        )

    def both_options_and_services(self) -> Problem:
        """Why a file that declares options, and is left out for that, cannot have services."""
        reason = "nothing is generated from a file that declares options; put services into another"
        return Problem(self._source.location(6, 0), reason)

    def _refuse(self, location: Location, reason: str) -> None:
        self.problems.append(Problem(location, reason))

    def _check_imports(self, dependencies: Mapping[str, tuple[str, ...]]) -> None:
        """Clients must not come to see what services say to each other."""
        for i, imported in enumerate(self.file.dependency):
            seen: set[str] = set()
            queue = [imported]
            while queue:
                path = queue.pop()
                if path not in seen:
                    seen.add(path)
                    queue += dependencies.get(path, ())
            internal = sorted(
                path for path in seen if path.rpartition("/")[2] == "messagebus.proto"
            )
            if internal:
                reason = "client-facing contracts never import internal ones"
                through = "" if imported in internal else f" (through {imported})"
                place = self._source.location(3, i)
                self._refuse(place, f"imports {internal[0]}{through}: {reason}")

    def _enum(self, enum: EnumDescriptorProto, full: str, name: str, path: _Path) -> None:
        place = self._source.location(*path)
        self._checked.type(enum.name, place)
        attributes = [names.enum_attribute(enum.name, value.name) for value in enum.value]
        values: list[EnumValue] = []
        for i, value in enumerate(enum.value):
            attribute = attributes[i]
            if attributes.count(attribute) > 1:
                attribute = value.name
            location = self._source.location(*path, 2, i)
            self._checked.enum_value(value.name, location)
            comment = self._source.comment(*path, 2, i)
            values.append(EnumValue(value.name, attribute, value.number, comment, location))
        module = self._declarations.types[full].module
        comment = self._source.comment(*path)
        self.enums.append(Enum(full, name, module, tuple(values), comment, place))

    def _message(
        self, message: _Message, full: str, name: str, proto_path: str, path: _Path
    ) -> None:
        place = self._source.location(*path)
        self._checked.type(message.name, place)
        if message.extension_range or message.extension:
            self._refuse(place, f"{message.name}: extensions are not supported")
        members = tuple(self._members(message, full, name, path))
        found = Message(
            full_name=full,
            name=name,
            proto_path=proto_path,
            module=self._declarations.types[full].module,
            members=members,
            comment=self._source.comment(*path),
            location=place,
            fallible=full in self._declarations.fallible,
            ruled=full in self._declarations.ruled,
        )
        error = self._errors.read(message.options, found, path)
        event = self._events.read(message.options, found, path)
        if error is not None and event is not None:
            reason = "a message is an error or an event, not both"
            self._refuse(event.location, f"{message.name}: {reason}")
        self.messages.append(replace(found, error=error, event=event))
        for i, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                self._checked.in_message(nested.name, self._source.location(*path, 3, i))
                inner = f"{proto_path}.{nested.name}"
                self._message(
                    nested, f"{full}.{nested.name}", name + nested.name, inner, (*path, 3, i)
                )
        for i, enum in enumerate(message.enum_type):
            self._checked.in_message(enum.name, self._source.location(*path, 4, i))
            for j, value in enumerate(enum.value):
                self._checked.in_message(value.name, self._source.location(*path, 4, i, 2, j))
            self._enum(enum, f"{full}.{enum.name}", name + enum.name, (*path, 4, i))

    def _members(self, message: _Message, full: str, name: str, path: _Path) -> Iterator[Member]:
        entries = {
            f".{full}.{nested.name}": nested
            for nested in message.nested_type
            if nested.options.map_entry
        }
        hidden = self._annotations(message, name)
        scope = _scope(message)
        cases: dict[int, list[Field]] = {}
        order: list[Field | int] = []
        for i, field in enumerate(message.field):
            in_oneof = field.HasField("oneof_index") and not field.proto3_optional
            case_class = ""
            if in_oneof:
                oneof = message.oneof_decl[field.oneof_index].name
                case_class = names.case_class(name, oneof, field.name)
            found = self._field(
                field, entries.get(field.type_name), case_class, hidden, (*path, 2, i)
            )
            if found is None:
                continue
            if isinstance(found.type, TypeRef):
                self._check_scope(found.type, full, scope, found.location)
            if not in_oneof:
                order.append(found)
                continue
            if field.oneof_index not in cases:
                order.append(field.oneof_index)
            cases.setdefault(field.oneof_index, []).append(found)
        for member in order:
            if isinstance(member, Field):
                yield member
                continue
            oneof = message.oneof_decl[member].name
            place = self._source.location(*path, 8, member)
            self._checked.member(oneof, place)
            yield OneOf(
                name=oneof,
                attribute=names.attribute_name(oneof, hidden),
                alias=names.oneof_alias(name, oneof),
                cases=tuple(cases[member]),
                comment=self._source.comment(*path, 8, member),
                location=place,
            )

    def _annotations(self, message: _Message, name: str) -> frozenset[str]:
        """The classes that the annotations of a record name."""
        types = self._declarations.types
        entries = [each for each in message.nested_type if each.options.map_entry]
        fields = [*message.field, *(field for each in entries for field in each.field)]
        used = {types[full].name for f in fields if (full := f.type_name.lstrip(".")) in types}
        return frozenset(used | {names.oneof_alias(name, each.name) for each in message.oneof_decl})

    def _check_scope(
        self, type_: TypeRef, message: str, scope: set[str], location: Location
    ) -> None:
        """Refuse a type that the stubs of `_pb2` take for something inside the message."""
        package = f"{self.file.package}." if self.file.package else ""
        outermost = type_.full_name.removeprefix(package).split(".")[0]
        is_here = type_.module == self._declarations.modules[self.file.name]
        if is_here and outermost in scope:
            hider = f"{message}.{outermost}"
            self._refuse(location, f"{type_.full_name} is hidden by {hider}; rename one of them")

    def _field(
        self,
        field: FieldDescriptorProto,
        entry: _Message | None,
        case_class: str,
        hidden: frozenset[str],
        path: _Path,
    ) -> Field | None:
        place = self._source.location(*path)
        self._checked.member(field.name, place)
        self._checked.in_message(field.name, place)
        found_type = self._type(entry.field[1] if entry is not None else field, place)
        if found_type is None:
            return None
        repeated = field.label == FieldDescriptorProto.LABEL_REPEATED and entry is None
        presence = Presence.ALWAYS
        if entry is None and not repeated:
            is_message = field.type == FieldDescriptorProto.TYPE_MESSAGE
            if is_message or field.proto3_optional:
                presence = Presence.OPTIONAL
        if REQUIRED in self._declarations.options.numbers(field.options, FIELD_BEHAVIOR):
            if case_class:
                self._refuse(place, f"{field.name}: a case of a oneof cannot be REQUIRED")
            elif presence is Presence.ALWAYS:
                advice = (
                    "declare it optional, so that an absent value can be told from a default"
                    if entry is None and not repeated
                    else "a repeated field or map is never absent, only empty"
                )
                self._refuse(place, f"{field.name}: REQUIRED needs a field with presence; {advice}")
            presence = Presence.REQUIRED
        return Field(
            name=field.name,
            attribute=names.attribute_name(field.name, hidden),
            json_name=field.json_name,
            number=field.number,
            type=found_type,
            comment=self._source.comment(*path),
            location=place,
            presence=presence,
            repeated=repeated,
            map=MapType(_SCALARS[entry.field[0].type]) if entry is not None else None,
            case_class=case_class,
            rules=self._rules.read(
                field.options,
                field.name,
                found_type,
                place,
                repeated=repeated,
                is_map=entry is not None,
            ),
        )

    def _type(self, field: FieldDescriptorProto, place: Location) -> FieldType | None:
        if field.type in _SCALARS:
            return _SCALARS[field.type]
        if field.type == FieldDescriptorProto.TYPE_GROUP:
            self._refuse(place, "groups are not supported; use a message")
            return None
        if field.type_name in _WELL_KNOWN:
            return _WELL_KNOWN[field.type_name]
        name = field.type_name.removeprefix(".")
        if name in self._declarations.without_records:
            reason = self._declarations.without_records[name]
            self._refuse(place, f"{name} is not supported: {reason}")
            return None
        return self._declarations.types[name]


def _scope(message: _Message) -> set[str]:
    """What the class of a message in a `_pb2` module holds by name."""
    fields = {field.name for field in message.field}
    types = {each.name for each in message.nested_type} | {each.name for each in message.enum_type}
    values = {value.name for enum in message.enum_type for value in enum.value}
    return fields | types | values
