"""Writes `M_openapi`: the OpenAPI document of a contract, as a Python module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.openapi.document import Json, document
from codegen.python.source import Imports, module_source, string

if TYPE_CHECKING:
    from codegen.contract.model import ContractFile

__all__ = ["openapi_module"]


def openapi_module(file: ContractFile) -> str:
    """The module that holds the document as a constant."""
    imports = Imports(f"{file.module}_openapi", ["DOCUMENT"])
    final = imports.name("typing", "Final")
    # The document's values are of every JSON type at every depth.
    anything = imports.name("typing", "Any")
    body = [f"DOCUMENT: {final}[dict[str, {anything}]] = {_literal(document(file))}"]
    return module_source(
        file, f"OpenAPI of the contract `{file.path}`.", imports, ["DOCUMENT"], body
    )


def _literal(value: Json) -> str:
    """JSON as Python. The commas at the end have ruff put every entry on a line of its own."""
    if isinstance(value, dict):
        entries = "".join(f"{string(key)}: {_literal(item)}," for key, item in value.items())
        return f"{{{entries}}}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return string(value) if isinstance(value, str) else repr(value)
