"""Writes `M_asyncapi`: the events of a contract in an AsyncAPI document, as a Python module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.asyncapi.document import document
from codegen.python.source import Imports, json_literal, module_source

if TYPE_CHECKING:
    from codegen.contract.model import ContractFile

__all__ = ["asyncapi_module"]


def asyncapi_module(file: ContractFile) -> str:
    """The module that holds the document as a constant."""
    imports = Imports(f"{file.module}_asyncapi", ["DOCUMENT"])
    final = imports.name("typing", "Final")
    # The document's values are of every JSON type at every depth.
    anything = imports.name("typing", "Any")
    body = [f"DOCUMENT: {final}[dict[str, {anything}]] = {json_literal(document(file))}"]
    return module_source(
        file, f"AsyncAPI of the contract `{file.path}`.", imports, ["DOCUMENT"], body
    )
