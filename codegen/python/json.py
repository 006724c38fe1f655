"""Writes `M_json`: records to ProtoJSON and back, field by field.

Source: ProtoJSON, https://protobuf.dev/programming-guides/json.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import (
    ContractFile,
    Enum,
    Field,
    FieldType,
    Message,
    OneOf,
    Presence,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.python.docstrings import docstring
from codegen.python.source import Imports, module_source, string

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["enum_reader", "json_module", "scalar_reader"]

# Variables of the converters themselves; one for a field of the same name gets a `_`.
_LOCALS = frozenset({"depth", "error", "item", "key", "json_name", "json_value", "record", "value"})


def scalar_reader(type_: Scalar | WellKnown | Wrapper, imports: Imports) -> str:
    """The function of seam.codec.protojson that reads a scalar or well-known value."""
    scalar = type_.scalar if isinstance(type_, Wrapper) else type_
    kind = scalar.json_kind if isinstance(scalar, Scalar) else scalar.value
    return imports.name("seam.codec.protojson", f"read_{kind}")


def enum_reader(type_: TypeRef, imports: Imports) -> str:
    """The generated function that reads an enum."""
    module = names.json_module(type_.module)
    return imports.name(module, names.from_json_function(type_.name))


def json_module(file: ContractFile) -> str:
    """The module that converts the records of a contract to and from ProtoJSON."""
    exports: list[str] = []
    private: list[str] = []
    for name in [*(enum.name for enum in file.enums), *(m.name for m in file.messages)]:
        exports += [names.from_json_function(name), names.to_json_function(name)]
        private += [names.json_names_constant(name), names.json_numbers_constant(name)]
    variables = [name for message in file.messages for name in _variables(message)]
    imports = Imports(f"{file.module}_json", [*exports, *private, *_LOCALS, *variables])
    writer = _Writer(file, imports, frozenset(exports))
    body = [part for enum in file.enums for part in writer.enum(enum)]
    body += [part for message in file.messages for part in writer.message(message)]
    summary = f"Converts the records of `{file.path}` to ProtoJSON values and back."
    return module_source(file, summary, writer.imports, exports, body)


class _Writer:
    """Writes the converters of one contract."""

    def __init__(self, file: ContractFile, imports: Imports, functions: frozenset[str]) -> None:
        self.imports = imports
        self._file = file
        self._functions = functions
        self._variables: dict[str, str] = {}

    def _seam(self, name: str) -> str:
        return self.imports.name("seam.codec.protojson", name)

    def _of(self, type_: TypeRef, name: str) -> str:
        """What a name of the module that converts a type is called here."""
        return self.imports.name(names.json_module(type_.module), name)

    def enum(self, enum: Enum) -> Iterator[str]:
        names_constant = names.json_names_constant(enum.name)
        numbers_constant = names.json_numbers_constant(enum.name)
        final = self.imports.name("typing", "Final")
        name = self.imports.name(enum.module, enum.name)
        first: dict[int, str] = {}
        for value in enum.values:
            first.setdefault(value.number, value.name)
        listed = ", ".join(f"{number}: {string(text)}" for number, text in first.items())
        yield f"{names_constant}: {final}[dict[int, str]] = {{{listed},}}"
        listed = ", ".join(f"{string(value.name)}: {value.number}" for value in enum.values)
        yield f"{numbers_constant}: {final}[dict[str, int]] = {{{listed},}}"
        noun = f"`{enum.full_name}`"
        yield "\n".join(
            [
                f"def {names.to_json_function(enum.name)}(value: {name}) -> str | int:",
                "    "
                + docstring(f"Give the name of a value of {noun}; its number when it has none.", 4),
                f"    return {names_constant}.get(value) or int(value)",
            ]
        )
        raises = [("InvalidField", "the value is neither a name of the enum nor a number.")]
        yield "\n".join(
            [
                f"def {names.from_json_function(enum.name)}(value: object) -> {name}:",
                "    "
                + docstring(f"Read a value of {noun} by name or number.", 4, [("Raises", raises)]),
                f"    return {name}({self._seam('read_enum')}(value, {numbers_constant}))",
            ]
        )

    def message(self, message: Message) -> Iterator[str]:
        self._variables = self._local_names(message)
        to_json = names.to_json_function(message.name)
        from_json = names.from_json_function(message.name)
        record = self.imports.name(message.module, message.name)
        noun = f"`{message.full_name}`"
        json_value = self._seam("JsonValue")
        yield "\n".join(
            [
                f"def {to_json}(record: {record}) -> dict[str, {json_value}]:",
                "    " + docstring(f"Convert {noun} to a ProtoJSON object.", 4),
                *(f"    {row}" for row in self._to(message)),
            ]
        )
        sections = [
            (
                "Args",
                [
                    ("value", "the JSON value, which must be an object."),
                    ("depth", "how many messages enclose the value, itself included."),
                ],
            ),
            ("Raises", [("InvalidField", "the value is no valid record; the path says where.")]),
        ]
        yield "\n".join(
            [
                f"def {from_json}(value: object, depth: int = 1) -> {record}:",
                "    " + docstring(f"Read {noun} from ProtoJSON.", 4, sections),
                *(f"    {row}" for row in self._from(message, record)),
            ]
        )

    # Records to JSON

    def _to(self, message: Message) -> Iterator[str]:
        always = [f for f in message.fields if f.presence is not Presence.OPTIONAL]
        entries = [f"{string(f.json_name)}: {self._written(f)}" for f in always]
        literal = f"{{{', '.join(entries)}{',' if len(entries) > 1 else ''}}}"
        rest = [m for m in message.members if m not in always]
        if not rest:
            if not entries:
                yield "del record  # It has no fields."
            yield f"return {literal}"
            return
        yield f"value: dict[str, {self._seam('JsonValue')}] = {literal}"
        oneofs = [member for member in rest if isinstance(member, OneOf)]
        for member in rest:
            if isinstance(member, OneOf):
                variable = "case" if len(oneofs) == 1 else f"{member.attribute}_case"
                yield f"match record.{member.attribute}:"
                for case in member.cases:
                    name = self.imports.name(self._file.module, case.case_class)
                    yield f"    case {name}({variable}):"
                    written = self._write(case.type, variable)
                    yield f"        value[{string(case.json_name)}] = {written}"
                continue
            source = f"record.{member.attribute}"
            yield f"if {source} is not None:"
            yield f"    value[{string(member.json_name)}] = {self._write(member.type, source)}"
        yield "return value"

    def _written(self, field: Field) -> str:
        source = f"record.{field.attribute}"
        if field.map is not None:
            key = self._write_key(field.map.key)
            item = self._write(field.type, "item")
            if key == "key" and item == "item":
                return f"dict({source})"
            return f"{{{key}: {item} for key, item in {source}.items()}}"
        if field.repeated:
            item = self._write(field.type, "item")
            return f"list({source})" if item == "item" else f"[{item} for item in {source}]"
        return self._write(field.type, source)

    def _write_key(self, key: Scalar) -> str:
        if key is Scalar.STRING:
            return "key"
        return f"{self._seam('write_bool_key')}(key)" if key is Scalar.BOOL else "str(key)"

    def _write(self, type_: FieldType, source: str) -> str:
        if isinstance(type_, Wrapper):
            type_ = type_.scalar
        if isinstance(type_, TypeRef):
            return f"{self._of(type_, names.to_json_function(type_.name))}({source})"
        if isinstance(type_, WellKnown):
            return f"{self._seam(f'write_{type_.value}')}({source})"
        if type_.json_kind in ("int64", "uint64"):
            return f"str({source})"
        if type_.json_kind in ("float", "double", "bytes"):
            return f"{self._seam(f'write_{type_.json_kind}')}({source})"
        return source

    # JSON to records

    def _from(self, message: Message, record: str) -> Iterator[str]:
        for member in message.members:
            yield self._default(member)
        yield f"for json_name, json_value in {self._seam('read_object')}(value, depth):"
        yield "    try:"
        yield "        match json_name:"
        for member in message.members:
            rows = (
                self._read_oneof(member) if isinstance(member, OneOf) else self._read_field(member)
            )
            yield from (f"            {row}" for row in rows)
        known = ", ".join(string(field.json_name) for field in message.all_fields)
        yield "            case _:"
        yield f"                {self._seam('unknown_field')}({known})"
        yield f"    except {self.imports.name('seam.contract', 'InvalidField')} as error:"
        yield "        raise error.under(json_name) from None"
        for field in message.fields:
            if field.presence is Presence.REQUIRED:
                invalid = self.imports.name("seam.contract", "InvalidField")
                yield f"if {self._local(field)} is None:"
                yield f'    raise {invalid}({string(field.json_name)}, "required, but absent")'
        arguments = ", ".join(f"{m.attribute}={self._local(m)}" for m in message.members)
        yield f"return {record}({arguments}{',' if len(message.members) > 1 else ''})"

    def _local(self, member: Field | OneOf) -> str:
        """The variable that holds an attribute until the record is made."""
        return self._variables[member.attribute]

    def _local_names(self, message: Message) -> dict[str, str]:
        """The variables that hold the attributes of a record until it is made.

        They are called as the attributes, unless functions that the reader calls, or its own
        variables, are called so.
        """
        taken = {member.attribute for member in message.members}
        found: dict[str, str] = {}
        for name in sorted(taken):
            local = name
            if name in _LOCALS or name in self._functions or hasattr(builtins, name):
                while local in taken or local in self._functions:
                    local += "_"
                taken.add(local)
            found[name] = local
        return found

    def _annotation(self, field: Field) -> str:
        annotation = self.imports.single(field.type)
        if field.map is not None:
            return f"dict[{field.map.key.python}, {annotation}]"
        if field.repeated:
            return f"tuple[{annotation}, ...]"
        return annotation if field.presence is Presence.ALWAYS else f"{annotation} | None"

    def _default(self, member: Field | OneOf) -> str:
        if isinstance(member, OneOf):
            alias = self.imports.name(self._file.module, member.alias)
            return f"{self._local(member)}: {alias} | None = None"
        return f"{self._local(member)}: {self._annotation(member)} = {self._default_value(member)}"

    def _default_value(self, field: Field) -> str:
        if field.map is not None:
            return "{}"
        if field.repeated:
            return "()"
        if field.presence is not Presence.ALWAYS:
            return "None"
        if isinstance(field.type, TypeRef):
            return f"{self.imports.type(field.type)}(0)"
        assert isinstance(field.type, Scalar)
        return field.type.default

    def _read_field(self, field: Field) -> Iterator[str]:
        local = self._local(field)
        yield _case(field)
        # Both names may be given for a field without presence, where the last one counts.
        if len(field.names) > 1 and field.presence is not Presence.ALWAYS:
            listed = ", ".join(string(name) for name in field.names)
            yield f"    if {local} is not None and json_value is not None:"
            yield f"        {self._seam('given_twice')}({listed})"
        read = self._read(field)
        yield f"    {local} = {read} if json_value is not None else {self._default_value(field)}"

    def _read(self, field: Field) -> str:
        type_ = field.type
        is_message = isinstance(type_, TypeRef) and not type_.is_enum
        reader = self._reader(type_)
        if field.map is not None:
            key = Scalar.BOOL if field.map.key is Scalar.BOOL else field.map.key
            kind = "bool_text" if key is Scalar.BOOL else key.json_kind
            key_reader = self._seam(f"read_{kind}")
            if is_message:
                read = self._seam("read_message_map")
                return f"{read}(json_value, {key_reader}, {reader}, depth + 1)"
            return f"{self._seam('read_map')}(json_value, {key_reader}, {reader})"
        if field.repeated:
            if is_message:
                return f"{self._seam('read_message_list')}(json_value, {reader}, depth + 1)"
            return f"{self._seam('read_list')}(json_value, {reader})"
        return f"{reader}(json_value, depth + 1)" if is_message else f"{reader}(json_value)"

    def _reader(self, type_: FieldType) -> str:
        if isinstance(type_, TypeRef):
            return self._of(type_, names.from_json_function(type_.name))
        return scalar_reader(type_, self.imports)

    def _read_oneof(self, oneof: OneOf) -> Iterator[str]:
        local = self._local(oneof)
        listed = ", ".join(string(case.json_name) for case in oneof.cases)
        for case in oneof.cases:
            name = self.imports.name(self._file.module, case.case_class)
            yield _case(case)
            yield "    if json_value is not None:"
            yield f"        if {local} is not None:"
            yield f"            {self._seam('given_twice')}({listed})"
            yield f"        {local} = {name}({self._read(case)})"


def _case(field: Field) -> str:
    return f"case {' | '.join(string(name) for name in field.names)}:"


def _variables(message: Message) -> Iterator[str]:
    """What the converters of a message may call their variables."""
    for member in message.members:
        yield from (member.attribute, f"{member.attribute}_", f"{member.attribute}_case")
