"""Writes `M_wire`: records to Protocol Buffers messages and back, field by field."""

from __future__ import annotations

import keyword
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
from codegen.python.rules import RuleWriter, check_variables
from codegen.python.source import Imports, module_source, string

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.contract.model import Member

__all__ = ["wire_module"]


def wire_module(file: ContractFile) -> str:
    """The module that converts the records of a contract to and from `_pb2` messages."""
    exports = [names.numbers_constant(enum.name) for enum in file.enums]
    for message in file.messages:
        exports += [
            names.codec_constant(message.name),
            names.fill_function(message.name),
            names.from_proto_function(message.name),
            names.to_proto_function(message.name),
        ]
        if message.ruled:
            exports.append(names.check_function(message.name))
    variables = [name for message in file.messages for name in _variables(message)]
    writer = _Writer(file, Imports(f"{file.module}_wire", [*exports, *variables]))
    converters = [part for message in file.messages for part in writer.message(message)]
    body = [writer.enum(enum) for enum in file.enums]
    body += [*writer.rules.patterns(), *converters]
    summary = f"Converts the records of `{file.path}` to Protocol Buffers messages and back."
    return module_source(file, summary, writer.imports, exports, body)


def _variables(message: Message) -> Iterator[str]:
    """What the converters of a message call their variables."""
    yield from ("message", "record", "key", "item", "value", "other")
    yield from check_variables(message)
    for member in message.members:
        for name in ("key", "item", "value", "other", "case"):
            yield f"{member.attribute}_{name}"


def _variable(name: str, member: Member, members: Sequence[Member]) -> str:
    """A variable that belongs to one member, whose type would be wrong for the next."""
    return name if len(members) == 1 else f"{member.attribute}_{name}"


class _Writer:
    """Writes the converters of one contract."""

    def __init__(self, file: ContractFile, imports: Imports) -> None:
        self.imports = imports
        self.rules = RuleWriter(file, imports)
        self._file = file

    def _seam(self, name: str) -> str:
        return self.imports.name("seam.codec.wire", name)

    def _of(self, type_: TypeRef, name: str) -> str:
        """What a name of the module that converts a type is called here."""
        return self.imports.name(names.wire_module(type_.module), name)

    def _numbers(self, type_: TypeRef) -> str:
        return self._of(type_, names.numbers_constant(type_.name))

    def enum(self, enum: Enum) -> str:
        final = self.imports.name("typing", "Final")
        name = self.imports.name(enum.module, enum.name)
        return f"{names.numbers_constant(enum.name)}: {final} = {self._seam('EnumNumbers')}({name})"

    def message(self, message: Message) -> Iterator[str]:
        fill_function = names.fill_function(message.name)
        to_proto = names.to_proto_function(message.name)
        from_proto = names.from_proto_function(message.name)
        record = self.imports.name(message.module, message.name)
        pb2 = self.imports.module(f"{self._file.pb2_package}.{self._file.pb2_name}".lstrip("."))
        proto = f"{pb2}.{message.proto_path}"
        noun = f"`{message.full_name}`"
        fill = list(self._fill(message)) or ["del message, record  # There is nothing to copy."]
        yield "\n".join(
            [
                f"def {fill_function}(message: {proto}, record: {record}) -> None:",
                "    " + docstring(f"Copy a record into an empty {noun}.", 4),
                *(f"    {row}" for row in fill),
            ]
        )
        yield "\n".join(
            [
                f"def {to_proto}(record: {record}) -> {proto}:",
                "    " + docstring(f"Convert a record to {noun}.", 4),
                f"    message = {proto}()",
                f"    {fill_function}(message, record)",
                "    return message",
            ]
        )
        sections = []
        if message.fallible:
            sections = [("Raises", [("InvalidField", "the message is no valid record.")])]
        yield "\n".join(
            [
                f"def {from_proto}(message: {proto}) -> {record}:",
                "    " + docstring(f"Convert {noun} to a record.", 4, sections),
                *(f"    {row}" for row in self._from(message, record)),
            ]
        )
        yield from self.rules.check(message)
        final = self.imports.name("typing", "Final")
        codec = self._seam("Codec")
        converters = f"{to_proto}, {from_proto}"
        if message.ruled:
            converters += f", {names.check_function(message.name)}"
        constant = names.codec_constant(message.name)
        yield f"{constant}: {final} = {codec}({record}, {proto}, {converters})"

    # Records to messages

    def _fill(self, message: Message) -> Iterator[str]:
        oneofs = [member for member in message.members if isinstance(member, OneOf)]
        looped = [field for field in message.fields if _is_looped(field)]
        for member in message.members:
            if isinstance(member, OneOf):
                yield from self._fill_oneof(member, oneofs)
                continue
            value = f"record.{member.attribute}"
            if member.map is not None:
                yield from self._fill_map(member, value, looped)
            elif member.repeated:
                yield from self._fill_repeated(member, value, looped)
            elif member.presence is Presence.OPTIONAL:
                yield f"if {value} is not None:"
                yield from (f"    {row}" for row in self._fill_single(member, value))
            else:
                yield from self._fill_single(member, value)

    def _fill_single(self, field: Field, value: str) -> Iterator[str]:
        type_ = field.type
        if isinstance(type_, Scalar):
            yield _assign(field.name, value)
        elif isinstance(type_, TypeRef) and type_.is_enum:
            # The stubs type the field as a class of which no instance can be made.
            yield f'setattr(message, "{field.name}", {value})'
        elif isinstance(type_, Wrapper):
            yield f"{_read(field.name)}.value = {value}"
        else:
            if isinstance(type_, TypeRef) and not self._sets_something(type_):
                yield f"{_read(field.name)}.SetInParent()"
            yield f"{self._filler(type_)}({_read(field.name)}, {value})"

    def _sets_something(self, type_: TypeRef) -> bool:
        """Whether copying into the message always assigns a field, which marks it as present."""
        message = self._file.types.get(type_.full_name)
        return isinstance(message, Message) and any(
            field.is_single
            and field.presence is not Presence.OPTIONAL
            and (isinstance(field.type, Scalar) or getattr(field.type, "is_enum", False))
            for field in message.fields
        )

    def _filler(self, type_: FieldType) -> str:
        if isinstance(type_, WellKnown):
            return self._seam(f"{type_.value}_fill")
        assert isinstance(type_, TypeRef)
        return self._of(type_, names.fill_function(type_.name))

    def _fill_repeated(self, field: Field, value: str, looped: Sequence[Field]) -> Iterator[str]:
        item = _variable("item", field, looped)
        target = _read(field.name)
        if isinstance(field.type, Scalar):
            yield f"{target}.extend({value})"
        elif isinstance(field.type, TypeRef) and field.type.is_enum:
            yield f"{self._seam('extend_numbers')}({target}, {value})"
        else:
            yield f"for {item} in {value}:"
            if isinstance(field.type, Wrapper):
                yield f"    {target}.add().value = {item}"
            else:
                yield f"    {self._filler(field.type)}({target}.add(), {item})"

    def _fill_map(self, field: Field, value: str, looped: Sequence[Field]) -> Iterator[str]:
        key, item = _variable("key", field, looped), _variable("item", field, looped)
        target = _read(field.name)
        if isinstance(field.type, Scalar):
            yield f"{target}.update({value})"
        elif isinstance(field.type, TypeRef) and field.type.is_enum:
            yield f"{self._seam('update_numbers')}({target}, {value})"
        else:
            yield f"for {key}, {item} in {value}.items():"
            if isinstance(field.type, Wrapper):
                yield f"    {target}[{key}].value = {item}"
            else:
                yield f"    {self._filler(field.type)}({target}[{key}], {item})"

    def _fill_oneof(self, oneof: OneOf, oneofs: Sequence[OneOf]) -> Iterator[str]:
        value, other = _variable("value", oneof, oneofs), _variable("other", oneof, oneofs)
        yield f"match record.{oneof.attribute}:"
        for case in oneof.cases:
            name = self.imports.name(self._file.module, case.case_class)
            yield f"    case {name}({value}):"
            yield from (f"        {row}" for row in self._fill_single(case, value))
        yield "    case None:"
        yield "        pass"
        yield f"    case {other}:"
        yield f"        {self._seam('wrong_case')}({string(oneof.name)}, {other})"

    # Messages to records

    def _from(self, message: Message, record: str) -> Iterator[str]:
        arguments: list[str] = []
        for member in message.members:
            if isinstance(member, OneOf):
                local = f"{member.attribute}_case"
                yield from self._from_oneof(member, local)
                arguments.append(f"{member.attribute}={local}")
            else:
                arguments.append(f"{member.attribute}={self._argument(member)}")
        if not message.members:
            yield "del message  # It has no fields."
        # The comma at the end has ruff put every field on a line of its own.
        trailing = "," if len(arguments) > 1 else ""
        yield f"return {record}({', '.join(arguments)}{trailing})"

    def _argument(self, field: Field) -> str:
        source = _read(field.name)
        if field.map is not None:
            return self._from_map(field, source)
        if field.repeated:
            return self._from_repeated(field, source)
        single = self._from_single(field, source)
        if field.presence is Presence.ALWAYS:
            return single
        otherwise = "None"
        if field.presence is Presence.REQUIRED:
            otherwise = f"{self._seam('absent')}({string(field.name)})"
        return f"{single} if message.HasField({string(field.name)}) else {otherwise}"

    def _from_single(self, field: Field, source: str) -> str:
        type_ = field.type
        if isinstance(type_, Scalar):
            return source
        if isinstance(type_, Wrapper):
            return f"{source}.value"
        if isinstance(type_, TypeRef) and type_.is_enum:
            return f"{self._numbers(type_)}[{source}]"
        if self._is_fallible(type_):
            read = self._seam("read_one")
            return f"{read}({source}, {self._reader(type_)}, {string(field.name)})"
        return f"{self._reader(type_)}({source})"

    def _from_repeated(self, field: Field, source: str) -> str:
        type_ = field.type
        if isinstance(type_, Scalar):
            return f"tuple({source})"
        if isinstance(type_, Wrapper):
            return f"tuple([item.value for item in {source}])"
        if isinstance(type_, TypeRef) and type_.is_enum:
            return f"tuple([{self._numbers(type_)}[item] for item in {source}])"
        if self._is_fallible(type_):
            read = self._seam("read_tuple")
            return f"{read}({source}, {self._reader(type_)}, {string(field.name)})"
        return f"tuple([{self._reader(type_)}(item) for item in {source}])"

    def _from_map(self, field: Field, source: str) -> str:
        type_ = field.type
        if isinstance(type_, Scalar):
            return f"dict({source})"
        item = "item"
        if isinstance(type_, Wrapper):
            item = "item.value"
        elif isinstance(type_, TypeRef) and type_.is_enum:
            item = f"{self._numbers(type_)}[item]"
        elif self._is_fallible(type_):
            read = self._seam("read_map")
            return f"{read}({source}, {self._reader(type_)}, {string(field.name)})"
        else:
            item = f"{self._reader(type_)}(item)"
        return f"{{key: {item} for key, item in {source}.items()}}"

    def _from_oneof(self, oneof: OneOf, local: str) -> Iterator[str]:
        alias = self.imports.name(self._file.module, oneof.alias)
        yield f"{local}: {alias} | None = None"
        yield f"match message.WhichOneof({string(oneof.name)}):"
        for case in oneof.cases:
            name = self.imports.name(self._file.module, case.case_class)
            yield f"    case {string(case.name)}:"
            yield f"        {local} = {name}({self._from_single(case, _read(case.name))})"

    def _reader(self, type_: FieldType) -> str:
        if isinstance(type_, WellKnown):
            return self._seam(f"{type_.value}_from_proto")
        assert isinstance(type_, TypeRef)
        return self._of(type_, names.from_proto_function(type_.name))

    def _is_fallible(self, type_: FieldType) -> bool:
        if isinstance(type_, WellKnown):
            return True
        assert isinstance(type_, TypeRef)
        message = self._file.types.get(type_.full_name)
        return isinstance(message, Message) and message.fallible


def _is_looped(field: Field) -> bool:
    """Whether copying the field takes a loop: scalars and enums are copied at once."""
    if field.is_single or isinstance(field.type, Scalar):
        return False
    return not (isinstance(field.type, TypeRef) and field.type.is_enum)


def _read(name: str) -> str:
    """A field of `message`; Python's keywords cannot be written after a dot."""
    return f'getattr(message, "{name}")' if keyword.iskeyword(name) else f"message.{name}"


def _assign(name: str, value: str) -> str:
    if keyword.iskeyword(name):
        return f'setattr(message, "{name}", {value})'
    return f"message.{name} = {value}"
