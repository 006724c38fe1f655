"""protoc-gen-records: writes records, and their converters to Protocol Buffers and ProtoJSON.

For a contract whose records module is `M` it writes `M`, `M_wire` and `M_json`. Run it as
`python -m codegen.python.records`, by way of protoc or buf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import ContractFile, Enum, Member, Message, OneOf, Presence
from codegen.plugin import Output, run
from codegen.python.docstrings import docstring, lower_first
from codegen.python.json import json_module
from codegen.python.source import Imports, module_source, python_file, string
from codegen.python.wire import wire_module

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["generate"]


def generate(file: ContractFile) -> Iterator[Output]:
    """The modules of one contract."""
    yield python_file(file.module, records_module(file))
    yield python_file(f"{file.module}_wire", wire_module(file))
    yield python_file(f"{file.module}_json", json_module(file))


def records_module(file: ContractFile) -> str:
    """The module that holds enums, records and typed errors."""
    exports = list(_defined(file))
    attributes = [member.attribute for message in file.messages for member in message.members]
    imports = Imports(file.module, [*exports, *attributes])
    body = [_enum(enum, imports) for enum in file.enums]
    for message in file.messages:
        body += _oneofs(message, imports)
        body.append(_record(message, imports))
        if message.error is not None:
            body.append(_exception(message, imports))
    summary = f"Records of the contract `{file.path}`."
    return module_source(file, summary, imports, exports, body)


def _defined(file: ContractFile) -> Iterator[str]:
    """The names that the records module defines."""
    for enum in file.enums:
        yield enum.name
    for message in file.messages:
        yield message.name
        if message.error is not None:
            yield names.exception_class(message.name)
        for member in message.members:
            if isinstance(member, OneOf):
                yield member.alias
                yield from (case.case_class for case in member.cases)


def _enum(enum: Enum, imports: Imports) -> str:
    base = imports.name("seam.contract", "OpenEnum")
    rows = [f"class {enum.name}({base}):"]
    rows.append("    " + docstring(enum.comment or f"The enum `{enum.full_name}`.", 4))
    rows.append("")
    for value in enum.values:
        rows.append(f"    {value.attribute} = {value.number}")
        if value.comment:
            rows += ["    " + docstring(value.comment, 4), ""]
    return "\n".join(rows)


def _record(message: Message, imports: Imports) -> str:
    base = imports.name("seam.contract", "Record")
    text = message.comment or f"The message `{message.full_name}`."
    documented = [(member.attribute, member.comment) for member in message.members]
    sections = [("Attributes", documented)] if any(c for _, c in documented) else []
    rows = [
        f"class {message.name}({base}, kw_only=True):",
        "    " + docstring(text, 4, sections),
        "",
    ]
    rows += [f"    {_attribute(member, imports)}" for member in message.members]
    maps = [field.attribute for field in message.fields if field.map is not None]
    if maps:
        freeze = imports.name("seam.contract", "freeze_mappings")
        listed = ", ".join(string(name) for name in maps)
        rows += ["", "    def __post_init__(self) -> None:", f"        {freeze}(self, {listed})"]
    return "\n".join(rows)


def _attribute(member: Member, imports: Imports) -> str:
    if isinstance(member, OneOf):
        return f"{member.attribute}: {member.alias} | None = None"
    annotation = imports.single(member.type)
    if member.map is not None:
        mapping = imports.name("collections.abc", "Mapping")
        annotation = f"{mapping}[{member.map.key.python}, {annotation}]"
    elif member.repeated:
        annotation = f"tuple[{annotation}, ...]"
    if member.presence is Presence.OPTIONAL:
        return f"{member.attribute}: {annotation} | None = None"
    return f"{member.attribute}: {annotation}"


def _oneofs(message: Message, imports: Imports) -> Iterator[str]:
    base = imports.name("seam.contract", "Record")
    for member in message.members:
        if not isinstance(member, OneOf):
            continue
        for case in member.cases:
            text = case.comment or f"The case `{case.name}`."
            yield "\n".join(
                [
                    # Not keyword-only, so that cases are short to write and to match.
                    f"class {case.case_class}({base}):",
                    "    "
                    + docstring(f"`{member.name}` of {message.name}: {lower_first(text)}", 4),
                    "",
                    f"    value: {imports.single(case.type)}",
                ]
            )
        alias = imports.name("typing", "TypeAlias")
        union = " | ".join(case.case_class for case in member.cases)
        comment = member.comment or f"What `{message.name}.{member.attribute}` can hold."
        yield f"{member.alias}: {alias} = {union}\n{docstring(comment)}"


def _exception(message: Message, imports: Imports) -> str:
    assert message.error is not None
    base = imports.name("seam.contract", "ContractError")
    code = imports.name("seam.contract", "Code")
    rows = [
        f"class {names.exception_class(message.name)}({base}[{message.name}]):",
        "    " + docstring(message.comment or f"The error `{message.full_name}`.", 4),
        "",
        f"    name = {string(message.full_name)}",
        f"    code = {code}.{message.error.code}",
        f"    text = {string(message.error.text)}",
    ]
    if message.error.retry_after is not None:
        rows.append(f"    retry_after_field = {string(message.error.retry_after.attribute)}")
    return "\n".join(rows)


if __name__ == "__main__":
    run(generate)
