"""Writes the module of a client's package: the classes that hold all services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import Field, Message, Method, Scalar, Service
from codegen.python.docstrings import docstring
from codegen.python.source import string
from codegen.python_client.modules import ClientImports
from codegen.python_client.services import called_methods, method_constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codegen.contract.model import ContractFile

__all__ = ["package_module", "refresh_method"]

_REEXPORTED = ("ApiError", "Code", "MemoryTokenStore", "Retries", "Session", "TokenStore")


def refresh_method(files: Iterable[ContractFile]) -> tuple[ContractFile, Service, Method] | None:
    """The method that gives new tokens for a refresh token; None when there is none.

    It is known by the names of its fields, which are those of RFC 6749. Source: https://www.rfc-editor.org/rfc/rfc6749#section-6.
    """
    for file in files:
        for service in file.services:
            for method in called_methods(service):
                request = file.types.get(method.request.full_name)
                response = file.types.get(method.response.full_name)
                if not isinstance(request, Message) or not isinstance(response, Message):
                    continue
                given = {each.name for each in response.fields}
                asked = [each.name for each in request.all_fields if _is_text(each)]
                is_one = asked == ["refresh_token"] and len(request.members) == 1
                if is_one and given >= {"access_token", "refresh_token", "expires_in"}:
                    return file, service, method
    return None


def _is_text(field: Field) -> bool:
    return field.type is Scalar.STRING


def package_module(package: str, files: Sequence[ContractFile]) -> str:
    """The module that is imported as the package.

    Args:
        package: its name.
        files: the contracts.
    """
    services = [(file, each) for file in files for each in file.services if called_methods(each)]
    imports = ClientImports(package, ["Client", "AsyncClient", "base_url", "tokens", "retries"])
    body = [_client(imports, files, services, is_async=is_async) for is_async in (False, True)]
    reexported = [imports.name("contract_client", name) for name in _REEXPORTED]
    exports = sorted(["AsyncClient", "Client", *reexported])
    parts = [
        "# Generated from contracts. Do not edit: change these instead.",
        docstring("Calls the services that clients see, over HTTP."),
        "from __future__ import annotations",
        str(imports),
        f"__all__ = [{', '.join(string(name) for name in exports)}]",
        *body,
    ]
    return "\n\n".join(parts) + "\n"


def _client(
    imports: ClientImports,
    files: Sequence[ContractFile],
    services: Sequence[tuple[ContractFile, Service]],
    *,
    is_async: bool,
) -> str:
    prefix = "Async" if is_async else ""
    module = "async_connection" if is_async else "connection"
    connection = imports.runtime(module, f"{prefix}Connection")
    transport = imports.name("httpx", f"{prefix}BaseTransport")
    store, retries = (
        imports.name("contract_client", "TokenStore"),
        imports.name("contract_client", "Retries"),
    )
    sections = [
        (
            "Args",
            [
                ("base_url", "where the server is, such as `https://shop.example`."),
                ("tokens", "where the session is kept; as long as the process lives when None."),
                ("retries", "how often a call is tried where its contract allows more than once."),
                ("transport", "what httpx sends by, if not by a network."),
            ],
        ),
        ("Attributes", [(_attribute(each), each.comment) for _, each in services]),
    ]
    opened = "async with AsyncClient(url) as client:" if is_async else "with Client(url) as client:"
    rows = [
        f"class {prefix}Client({connection}):",
        "    " + docstring(f"All services, as in `{opened}`.", 4, sections),
        "",
        "    def __init__(",
        "        self,",
        "        base_url: str,",
        "        *,",
        f"        tokens: {store} | None = None,",
        f"        retries: {retries} | None = None,",
        f"        transport: {transport} | None = None,",
        "    ) -> None:",
        f"        super().__init__(base_url, refresh={_refresh(imports, files)}, tokens=tokens, "
        "retries=retries, transport=transport)",
    ]
    for file, service in services:
        class_ = imports.name(file.module, f"{prefix}{service.name}")
        rows.append(f"        self.{_attribute(service)} = {class_}(self)")
    return "\n".join(rows)


def _refresh(imports: ClientImports, files: Sequence[ContractFile]) -> str:
    found = refresh_method(files)
    if found is None:
        return "None"
    file, service, method = found
    constant = imports.name(file.module, method_constant(service, method))
    request = imports.type(method.request)
    made = f"lambda token: {request}(refresh_token=token)"
    return f"{imports.runtime('tokens', 'Refresh')}({constant}, {made})"


def _attribute(service: Service) -> str:
    """`InventoryApi` as `inventory`."""
    return names.attribute_name(names.snake(service.name.removesuffix("Api")) or "api")
