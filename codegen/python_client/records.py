"""Writes the enums, records and errors of a contract, and what each is in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import (
    Enum,
    EnumValue,
    Field,
    FieldType,
    Member,
    Message,
    OneOf,
    Presence,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.python.docstrings import docstring, lower_first
from codegen.python.source import string

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.python_client.modules import ClientImports

__all__ = ["RecordWriter", "enum_constant"]


class RecordWriter:
    """Writes what a contract says of values.

    Args:
        imports: the imports of the module.
        types: every type in the import closure by full name.
    """

    def __init__(self, imports: ClientImports, types: Mapping[str, Message | Enum]) -> None:
        self.imports = imports
        self._types = types

    def enum(self, enum: Enum) -> str:
        """The class of an enum."""
        base = self.imports.runtime("records", "OpenEnum")
        rows = [f"class {enum.name}({base}):"]
        rows.append("    " + docstring(enum.comment or f"The enum `{enum.full_name}`.", 4))
        rows.append("")
        for value in enum.values:
            rows.append(f"    {_attribute_of(value)} = {string(value.name)}")
            if value.comment:
                rows += ["    " + docstring(value.comment, 4), ""]
        return "\n".join(rows)

    def message(self, message: Message) -> Iterator[str]:
        """The classes of a message: its oneofs, its record and its error."""
        yield from self._oneofs(message)
        base = self.imports.runtime("records", "Record")
        documented = [(member.attribute, member.comment) for member in message.members]
        sections = [("Attributes", documented)] if any(c for _, c in documented) else []
        text = message.comment or f"The message `{message.full_name}`."
        rows = [
            f"class {message.name}({base}, kw_only=True):",
            "    " + docstring(text, 4, sections),
            "",
        ]
        for member in message.members:
            default = self.default(member)
            rows.append(
                f"    {member.attribute}: {self.annotation(member)}"
                + (f" = {default}" if default else "")
            )
        yield "\n".join(rows)
        if message.error is not None:
            yield self._error(message)

    def annotation(self, member: Member) -> str:
        """The type of what an attribute holds."""
        if isinstance(member, OneOf):
            return f"{member.alias} | None"
        annotation = self.imports.single(member.type)
        if member.map is not None:
            mapping = self.imports.name("collections.abc", "Mapping")
            return f"{mapping}[{member.map.key.python}, {annotation}]"
        if member.repeated:
            return f"tuple[{annotation}, ...]"
        return f"{annotation} | None" if member.presence is Presence.OPTIONAL else annotation

    def default(self, member: Member) -> str:
        """What an attribute holds when nothing is said; empty when something must be said."""
        if isinstance(member, OneOf) or member.presence is Presence.OPTIONAL:
            return "None"
        if member.presence is Presence.REQUIRED:
            return ""
        if member.map is not None:
            return "{}"
        if member.repeated:
            return "()"
        if isinstance(member.type, Scalar):
            return member.type.default
        assert isinstance(member.type, TypeRef)
        return f"{self.imports.type(member.type)}.{self._zero(member.type)}"

    def enum_type(self, enum: Enum) -> str:
        """What states the form of an enum in JSON."""
        final = self.imports.name("typing", "Final")
        kind = self.imports.runtime("descriptors", "enum")
        first: dict[int, str] = {}
        for value in enum.values:
            first.setdefault(value.number, value.name)
        numbers = ", ".join(f"{number}: {string(name)}" for number, name in first.items())
        constant = enum_constant(enum.name)
        return f"{constant}: {final} = {kind}({enum.name}, {{{numbers}}})"

    def description(self, message: Message) -> str:
        """What states the form of a message in JSON."""
        describe = self.imports.runtime("descriptors", "describe")
        members = [self._member(member) for member in message.members]
        return f"{describe}({', '.join([message.name, *members])})"

    def _zero(self, enum: TypeRef) -> str:
        found = self._types[enum.full_name]
        assert isinstance(found, Enum)
        return next(_attribute_of(value) for value in found.values if value.number == 0)

    def _oneofs(self, message: Message) -> Iterator[str]:
        base = self.imports.runtime("records", "Record")
        for member in message.members:
            if not isinstance(member, OneOf):
                continue
            for case in member.cases:
                text = case.comment or f"The case `{case.name}`."
                said = f"`{member.name}` of {message.name}: {lower_first(text)}"
                yield "\n".join(
                    [
                        # Not keyword-only, so that cases are short to write and to match.
                        f"class {case.case_class}({base}):",
                        "    " + docstring(said, 4),
                        "",
                        f"    value: {self.imports.single(case.type)}",
                    ]
                )
            alias = self.imports.name("typing", "TypeAlias")
            union = " | ".join(case.case_class for case in member.cases)
            comment = member.comment or f"What `{message.name}.{member.attribute}` can hold."
            yield f"{member.alias}: {alias} = {union}\n{docstring(comment)}"

    def _error(self, message: Message) -> str:
        base = self.imports.runtime("errors", "TypedError")
        short = message.full_name.rpartition(".")[2]
        return "\n".join(
            [
                f"class {names.exception_class(message.name)}({base}[{message.name}]):",
                "    " + docstring(message.comment or f"The error `{message.full_name}`.", 4),
                "",
                f"    contract_name = {string(short)}",
                f"    record_type = {message.name}",
            ]
        )

    def _member(self, member: Member) -> str:
        if isinstance(member, OneOf):
            kind = self.imports.runtime("descriptors", "OneOf")
            case_kind = self.imports.runtime("descriptors", "Case")
            cases = [
                f"{case_kind}({case.case_class}, {self._type(case.type)}, {_names(case)})"
                for case in member.cases
            ]
            return f"{kind}({string(member.attribute)}, {', '.join(cases)})"
        arguments = [string(member.attribute), self._type(member.type)]
        if member.names != (member.attribute,):
            arguments.append(_names(member))
        if member.map is not None:
            kind = self.imports.runtime("descriptors", "MapField")
            arguments.insert(1, self._type(member.map.key))
        elif member.repeated:
            kind = self.imports.runtime("descriptors", "ListField")
        else:
            kind = self.imports.runtime("descriptors", "Field")
            if member.presence is not Presence.ALWAYS:
                arguments.append("optional=True")
        return f"{kind}({', '.join(arguments)})"

    def _type(self, type_: FieldType) -> str:
        """The expression that says what single values are."""
        if isinstance(type_, Wrapper):
            type_ = type_.scalar
        if isinstance(type_, Scalar):
            return self.imports.runtime("descriptors", type_.json_kind.upper())
        if isinstance(type_, WellKnown):
            return self.imports.runtime("descriptors", type_.name)
        if type_.is_enum:
            return self.imports.name(type_.module, enum_constant(type_.name))
        return f"{self.imports.runtime('descriptors', 'message')}({self.imports.type(type_)})"


def enum_constant(enum: str) -> str:
    """What states the form of an enum in JSON."""
    return f"{names.constant(enum)}_TYPE"


def _names(field: Field) -> str:
    return ", ".join(string(name) for name in field.names)


def _attribute_of(value: EnumValue) -> str:
    # The values are texts, whose methods must not be hidden.
    return f"{value.attribute}_" if hasattr(str, value.attribute) else value.attribute
