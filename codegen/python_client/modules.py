"""Where a Python client has what is generated from a contract, and how its modules import."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codegen import names
from codegen.python.source import Imports

if TYPE_CHECKING:
    from codegen.contract.model import TypeRef

__all__ = ["RUNTIME", "ClientImports", "module_of"]

RUNTIME = "contract_client"
"""The package that all generated code stands on."""

_VERSIONED = re.compile(r"(?P<package>.+)/v(?P<version>\d+)/(?P<stem>[^/]+)\.proto")


def module_of(path: str, package: str) -> str:
    """The module of one contract.

    `inventory/v1/api.proto` is `inventory` of the package, of version 2 it is `inventory_v2`;
    `contract/v1/money.proto` is `contract_money`.

    Args:
        path: the contract's file.
        package: the package that the client is.
    """
    match = _VERSIONED.fullmatch(path)
    if match is None:
        return f"{package}.{names.default_module(path).replace('.', '_')}"
    name = match["package"].replace("/", "_")
    if match["stem"] != "api":
        name += f"_{match['stem']}"
    if match["version"] != "1":
        name += f"_v{match['version']}"
    return f"{package}.{name}"


class ClientImports(Imports):
    """The imports of a module of a client, which has the run-time instead of the seam."""

    def runtime(self, module: str, name: str) -> str:
        """What a name of the run-time is called here."""
        return self.name(f"{RUNTIME}.{module}", name)

    def type(self, reference: TypeRef) -> str:
        """What the class of a message or enum is called here."""
        if reference.module == names.RUNTIME_RECORDS:
            return self.runtime("records", reference.name)
        return self.name(reference.module, reference.name)
