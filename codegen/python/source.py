"""Source text of generated modules: header, imports, literals."""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import ContractFile, FieldType, TypeRef, WellKnown, Wrapper
from codegen.python.docstrings import docstring
from codegen.python.formatting import format_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codegen.openapi.schemas import Json
    from codegen.plugin import Output

__all__ = ["Imports", "json_literal", "module_source", "python_file", "string"]

_THIRD_PARTY = frozenset({"google", "litestar", "msgspec"})


class Imports:
    """The imports of one generated module.

    Args:
        module: the module.
        taken: names that the module defines itself, and those of variables in its functions.
    """

    def __init__(self, module: str, taken: Iterable[str] = ()) -> None:
        self._module = module
        self._taken = {*taken, *dir(builtins)}
        self._names: dict[tuple[str, str], str] = {}

    def name(self, module: str, name: str) -> str:
        """What a name of another module is called here.

        It keeps its name, unless something else has it: then the module's name goes before it.
        """
        if module == self._module:
            return name
        found = self._names.get((module, name))
        if found is None:
            found = name
            for part in reversed(module.split(".")):
                if found not in self._taken:
                    break
                found = f"{names.camel(part)}{found}" if name[:1].isupper() else f"{part}_{found}"
            while found in self._taken:
                found += "_"
            self._taken.add(found)
            self._names[module, name] = found
        return found

    def module(self, module: str) -> str:
        """What another module is called here."""
        package, _, name = module.rpartition(".")
        return self.name(package, name)

    def type(self, reference: TypeRef) -> str:
        """What the class of a message or enum is called here."""
        return self.name(reference.module, reference.name)

    def single(self, type_: FieldType) -> str:
        """The annotation of one value of a type."""
        if isinstance(type_, TypeRef):
            return self.type(type_)
        if type_ in (WellKnown.TIMESTAMP, WellKnown.DURATION):
            return self.name("datetime", type_.python)
        if isinstance(type_, WellKnown):
            return type_.python
        return type_.scalar.python if isinstance(type_, Wrapper) else type_.python

    def __str__(self) -> str:
        groups: tuple[list[str], list[str], list[str]] = ([], [], [])
        by_module: dict[str, list[str]] = {}
        for (module, name), local in sorted(self._names.items()):
            by_module.setdefault(module, []).append(name if local == name else f"{name} as {local}")
        for module, imported in sorted(by_module.items()):
            # A package without a name holds modules at the top.
            line = f"from {module} import {', '.join(imported)}"
            if not module:
                line = "\n".join(f"import {each}" for each in imported)
            top = module.split(".")[0]
            group = 0 if top in sys.stdlib_module_names else 1 if top in _THIRD_PARTY else 2
            groups[group].append(line)
        return "\n\n".join("\n".join(group) for group in groups if group)


def module_source(
    file: ContractFile, summary: str, imports: Imports, exports: Iterable[str], body: Iterable[str]
) -> str:
    """A whole module.

    Args:
        file: the contract that it is generated from.
        summary: what the module holds, in one sentence.
        imports: the imports; the body has been written, so that all are known.
        exports: the public names.
        body: the definitions.
    """
    comment = f"\n\n{file.comment}" if file.comment else ""
    listed = ", ".join(string(name) for name in sorted(exports))
    parts = [
        f"# Generated from {file.path}. Do not edit: change the contract instead.",
        docstring(f"{summary}{comment}"),
        "from __future__ import annotations",
        str(imports),
        f"__all__ = [{listed}]",
        *body,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def string(text: str) -> str:
    """A text as a Python literal in double quotes."""
    escaped = repr(text)[1:-1]
    if repr(text).startswith("'"):
        escaped = escaped.replace("\\'", "'").replace('"', '\\"')
    return f'"{escaped}"'


def json_literal(value: Json) -> str:
    """JSON as Python. The commas at the end have ruff put every entry on a line of its own."""
    if isinstance(value, dict):
        entries = "".join(f"{string(key)}: {json_literal(item)}," for key, item in value.items())
        return f"{{{entries}}}"
    if isinstance(value, list):
        return f"[{', '.join(json_literal(item) for item in value)}]"
    return string(value) if isinstance(value, str) else repr(value)


def python_file(module: str, source: str) -> Output:
    """A module as a file, formatted.

    Args:
        module: its dotted name.
        source: its source, not formatted yet.
    """
    path = f"{module.replace('.', '/')}.py"
    return path, format_python(source, path)
