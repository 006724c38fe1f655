"""Writes the generated sources of a client: a file for each contract, and the way in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.client.names import client_name, lower_camel, lower_first
from codegen.client.session import SessionRole, refreshes, session_role
from codegen.contract.model import Enum
from codegen.kotlin.codecs import enum_codec, message_codec
from codegen.kotlin.module import Module, Modules
from codegen.kotlin.names import NameAllocator, file_name
from codegen.kotlin.services import ServiceWriter
from codegen.kotlin.source import Imports, bracketed, closure, documentation
from codegen.kotlin.types import enum_class, message_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.contract.model import ContractFile, Method, Service
    from codegen.plugin import Output

__all__ = ["package"]


@dataclass(frozen=True)
class _Client:
    """A service, with what its file calls its client."""

    service: Service
    module: Module
    writer: ServiceWriter


def package(
    files: Sequence[ContractFile], product: str = "client", *, everything: bool = False
) -> Iterator[Output]:
    """The generated sources of a client.

    Args:
        files: the contracts that clients see.
        product: what the client is of: `shop` gives the class `Shop` in the package `shop`.
        everything: whether to write messages that no method needs, too.
    """
    files = sorted(files, key=lambda file: file.path)
    by_path = {file.path: file for file in files}
    modules = Modules(files, product, everything=everything)
    clients: list[_Client] = []
    for path, module in modules.by_path.items():
        # Contracts that are only imported have messages, and no clients.
        file = by_path.get(path)
        found = [
            _Client(service, module, ServiceWriter(service, module))
            for service in (file.services if file is not None else ())
            if service.full_name in module.clients
        ]
        clients += found
        yield f"{module.package.replace('.', '/')}/{file_name(path)}", _text(module, found)
    title = f"{product[:1].upper()}{product[1:]}"
    yield f"{product}/{title}.kt", _product(clients, product, title)


def _text(module: Module, clients: Sequence[_Client]) -> str:
    blocks = [block for client in clients for block in client.writer.written()]
    declared = module.declared
    blocks += [
        enum_class(type_, module) if isinstance(type_, Enum) else message_class(type_, module)
        for type_ in declared
    ]
    blocks += [
        enum_codec(type_, module) if isinstance(type_, Enum) else message_codec(type_, module)
        for type_ in declared
    ]
    said = f"// Generated from {module.path}. Do not edit: change the contract instead."
    return _file(said, module.package, module.imports, blocks)


def _file(said: str, package_: str, imports: Imports, blocks: Sequence[str]) -> str:
    lines = imports.lines()
    head = [said, f"package {package_}", *(["\n".join(lines)] if lines else [])]
    return "\n\n".join([*head, *blocks]) + "\n"


def _product(clients: Sequence[_Client], product: str, title: str) -> str:
    imports = Imports(product, {title})
    known = imports.known
    made_of = ["options", *_session_methods(clients, imports)]
    connection = bracketed(f"{known('Connection')}(", made_of, ")", indent=8)
    rows = [
        "/**",
        f" * The services of the {product}, and who is signed in. It opens no connection before",
        " * the first call; close it when it is needed no longer.",
        " */",
        f"class {title}(options: {known('ClientOptions')}) : {known('Closeable')} {{",
        "    private val connection =",
        f"        {connection}",
        "",
    ]
    for client, member in zip(clients, _members(clients), strict=True):
        name = imports.name(client.module.package, client.writer.names.client)
        rows += documentation(client.service.comment, 4)
        rows += [f"    val {member}: {name} = {name}(connection)", ""]
    rows += [
        "    /** Who is signed in; methods that sign in or out keep it up to date. */",
        f"    val session: {known('Session')} = connection.session",
        "",
        "    /**",
        "     * Makes a client with nothing but its defaults.",
        "     *",
        "     * @param baseUrl where the server is, such as `https://shop.example.com`.",
        "     */",
        f"    constructor(baseUrl: {known('String')}) : this({known('ClientOptions')}(baseUrl))",
        "",
        "    override fun close() = connection.close()",
        "}",
    ]
    said = f"// Generated from the contracts of the {product}. Do not edit: change these instead."
    return _file(said, product, imports, ["\n".join(rows)])


def _session_methods(clients: Sequence[_Client], imports: Imports) -> list[str]:
    """What keeps a session alive and what ends it: the first methods that do."""
    found: dict[str, str] = {}
    for client in clients:
        for method in client.writer.methods:
            if refreshes(method, client.module.types):
                found.setdefault("refresh", _session_method("refresh", client, method, imports))
            elif session_role(method, client.module.types) is SessionRole.ENDS:
                found.setdefault("revoke", _session_method("revoke", client, method, imports))
    if not found:
        return []
    return [bracketed(f"{imports.known('SessionMethods')}(", found.values(), ")", indent=12)]


def _session_method(key: str, client: _Client, method: Method, imports: Imports) -> str:
    names = client.writer.names
    home = client.module.home(method.request.full_name)
    request = imports.name(home.package, home.own(method.request.full_name))
    token = home.properties[method.request.full_name]["refresh_token"]
    owner = imports.name(client.module.package, names.client)
    constant = f"{owner}.{client.writer.constants[method.name]}"
    head = f"{key} = {imports.known('SessionMethod')}({constant})"
    return closure(head, f"{request}({token} = it)", indent=16)


def _members(clients: Sequence[_Client]) -> list[str]:
    """What the services are called: with their packages where two would have one name."""
    names = [lower_first(client_name(client.service)) for client in clients]
    counts = Counter([*names, "session", "connection", "close"])
    allocator = NameAllocator(["session", "connection", "close"])
    return [
        allocator.take(
            name
            if counts[name] == 1
            else lower_camel("_".join([*client.service.full_name.split(".")[:-1], name]))
        )
        for client, name in zip(clients, names, strict=True)
    ]
