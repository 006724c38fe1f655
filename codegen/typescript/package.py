"""Writes the sources of an npm package: a module for each contract, and the way in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.client.names import client_name, lower_camel, lower_first, parts
from codegen.client.roles import Roles
from codegen.client.session import SessionRole, refreshes, session_role
from codegen.contract.model import Enum, Message
from codegen.typescript.module import Module, Modules
from codegen.typescript.names import NameAllocator
from codegen.typescript.schemas import enum_schema, message_schema
from codegen.typescript.services import ServiceWriter
from codegen.typescript.source import bracketed, documentation
from codegen.typescript.types import enum_type, message_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.contract.model import ContractFile, Service
    from codegen.plugin import Output

__all__ = ["package"]


@dataclass(frozen=True)
class _Client:
    """A service, with what its module calls its client."""

    service: Service
    file: ContractFile
    writer: ServiceWriter


def package(
    files: Sequence[ContractFile], product: str = "client", *, everything: bool = False
) -> Iterator[Output]:
    """The modules of a package.

    Args:
        files: the contracts that clients see.
        product: what the client is of: `shop` gives `createShop`.
        everything: whether to write messages that no method needs, too.
    """
    files = sorted(files, key=lambda file: file.path)
    modules = Modules(files, Roles.of(files, everything=everything))
    by_path = {file.path: file for file in files}
    clients: list[_Client] = []
    for path, module in modules.by_path.items():
        # Contracts that are only imported have messages, and no clients.
        file = by_path.get(path)
        found = _clients(file, module) if file is not None else []
        clients += found
        comment = file.comment if file is not None else ""
        text = _module(module, comment, [client.writer for client in found])
        yield f"{'/'.join(parts(path))}.ts", text
    yield "index.ts", _index(clients, product)


def _clients(file: ContractFile, module: Module) -> list[_Client]:
    return [
        _Client(service, file, ServiceWriter(service, file, module))
        for service in file.services
        if any(method.http for method in service.methods)
    ]


def _module(module: Module, comment: str, writers: Sequence[ServiceWriter]) -> str:
    blocks: list[str] = []
    for writer in writers:
        blocks.append(writer.interface())
        blocks += writer.errors()
    for type_ in module.declared:
        blocks += [enum_type(type_, module)] if isinstance(type_, Enum) else []
        blocks += message_types(type_, module) if isinstance(type_, Message) else []
    blocks += [enum_schema(each, module) for each in module.declared if isinstance(each, Enum)]
    blocks += [
        message_schema(each, module) for each in module.declared if isinstance(each, Message)
    ]
    for writer in writers:
        blocks += writer.schemas()
        blocks.append(writer.factory())
    head = [f"// Generated from {module.path}. Do not edit: change the contract instead."]
    head += ["", *documentation(comment)] if comment else []
    imports = module.imports.lines()
    return "\n".join([*head, *imports, *(f"\n{block}" for block in blocks), ""])


def _index(clients: Sequence[_Client], product: str) -> str:
    names = NameAllocator()
    title = f"{product[:1].upper()}{product[1:]}"
    create, interface = names.take(f"create{title}"), names.take(title)
    session = _session_methods(clients)
    imports: list[str] = []
    interface_rows: list[str] = []
    factory_rows: list[str] = []
    for client, member in zip(clients, _members(clients), strict=True):
        found = client.writer.names
        wanted = [f"type {found.interface}", found.factory]
        wanted += [name for name in session.values() if name in found.methods.values()]
        wanted.sort(key=lambda each: each.removeprefix("type ").lower())
        module = f'"./{"/".join(parts(client.file.path))}.js"'
        imports.append(bracketed("import {", wanted, f"}} from {module};", spaced=True))
        interface_rows += documentation(client.service.comment, 2)
        interface_rows.append(f"  readonly {member}: {found.interface};")
        factory_rows.append(f"    {member}: {found.factory}(connection),")
    methods = [f"{key}: {name}" for key, name in session.items()]
    head, tail = ("(options, {", "});") if session else ("(options", ");")
    head = f"const connection = new Connection{head}"
    return "\n".join(
        [
            f"// Generated from the contracts of the {product}. Do not edit: change these instead.",
            "",
            "import {",
            "  type ClientOptions,",
            "  Connection,",
            "  type Session,",
            '} from "./runtime/generated.js";',
            *imports,
            "",
            'export * from "./runtime/index.js";',
            "",
            "/** The services, and who is signed in. */",
            f"export interface {interface} {{",
            *interface_rows,
            "  /** Who is signed in; methods that sign in or out keep it up to date. */",
            "  readonly session: Session;",
            "}",
            "",
            "/** Make a client. It opens no connection before the first call. */",
            f"export function {create}(options: ClientOptions): {interface} {{",
            "  " + bracketed(head, methods, tail, indent=2, spaced=True),
            "  return {",
            *factory_rows,
            "    session: connection.session,",
            "  };",
            "}",
            "",
        ]
    )


def _session_methods(clients: Sequence[_Client]) -> dict[str, str]:
    """What keeps a session alive and what ends it: the first methods that do."""
    found: dict[str, str] = {}
    for client in clients:
        for method in client.writer.methods:
            name = client.writer.names.methods[method.name]
            if refreshes(method, client.file.types):
                found.setdefault("refresh", name)
            elif session_role(method, client.file.types) is SessionRole.ENDS:
                found.setdefault("revoke", name)
    return found


def _members(clients: Sequence[_Client]) -> list[str]:
    """What the services are called: with their packages where two would have one name."""
    names = [lower_first(client_name(client.service)) for client in clients]
    counts = Counter([*names, "session"])
    return [
        name
        if counts[name] == 1
        else lower_camel("_".join([*client.service.full_name.split(".")[:-1], name]))
        for client, name in zip(clients, names, strict=True)
    ]
