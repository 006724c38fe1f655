"""Writes the sources of an npm package: a module for each contract, and the way in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.contract.model import Enum, Message
from codegen.typescript.module import Module, Modules
from codegen.typescript.names import NameAllocator, client_name, lower_first, parts
from codegen.typescript.roles import Roles
from codegen.typescript.schemas import enum_schema, message_schema
from codegen.typescript.services import ServiceWriter
from codegen.typescript.session import SessionRole, refreshes, session_role
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
    types = {name: each for file in files for name, each in file.types.items()}
    modules = Modules(types, Roles.of(files, everything=everything))
    by_path = {file.path: file for file in files}
    clients: list[_Client] = []
    for path, module in modules.by_path.items():
        file = by_path.get(path)
        writers = [
            ServiceWriter(service, file, module)
            for service in (file.services if file else ())
            if any(method.http for method in service.methods)
        ]
        assert file is not None or not writers
        clients += [_Client(writer.service, file, writer) for writer in writers if file is not None]
        comment = file.comment if file else ""
        yield f"{'/'.join(parts(path))}.ts", _module(module, comment, writers)
    yield "index.ts", _index(clients, product)


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
    create = names.take(f"create{product[:1].upper()}{product[1:]}")
    interface = names.take(f"{product[:1].upper()}{product[1:]}")
    members = _members(clients)
    imports = []
    rows_of_interface: list[str] = []
    rows_of_factory: list[str] = []
    session: dict[str, str] = {}
    for client in clients:
        writer = client.writer
        module = f'"./{"/".join(parts(client.file.path))}.js"'
        wanted = [f"type {writer.names.interface}", writer.names.factory]
        for method in writer.methods:
            role = session_role(method, client.file.types)
            name = writer.names.methods[method.name]
            if refreshes(method, client.file.types) and "refresh" not in session:
                session["refresh"] = name
                wanted.append(name)
            elif role is SessionRole.ENDS and "revoke" not in session:
                session["revoke"] = name
                wanted.append(name)
        ordered = sorted(wanted, key=lambda each: each.removeprefix("type ").lower())
        imports.append(bracketed("import {", ordered, f"}} from {module};", spaced=True))
        rows_of_interface += documentation(client.service.comment, 2)
        rows_of_interface.append(
            f"  readonly {members[client.service.full_name]}: {writer.names.interface};"
        )
        rows_of_factory.append(
            f"    {members[client.service.full_name]}: {writer.names.factory}(connection),"
        )
    methods = [f"{key}: {name}" for key, name in session.items()]
    head, tail = ("(options, {", "});") if session else ("(options", ");")
    return "\n".join(
        [
            f"// Generated from the contracts of {product}. Do not edit: change the contracts instead.",
            "",
            'import { type ClientOptions, Connection, type Session } from "./runtime/generated.js";',
            *imports,
            "",
            'export * from "./runtime/index.js";',
            "",
            "/** The services, and who is signed in. */",
            f"export interface {interface} {{",
            *rows_of_interface,
            "  /** Who is signed in; methods that sign in or out keep it up to date. */",
            "  readonly session: Session;",
            "}",
            "",
            "/** Make a client. It opens no connection before the first call. */",
            f"export function {create}(options: ClientOptions): {interface} {{",
            "  "
            + bracketed(
                f"const connection = new Connection{head}", methods, tail, indent=2, spaced=True
            ),
            "  return {",
            *rows_of_factory,
            "    session: connection.session,",
            "  };",
            "}",
            "",
        ]
    )


def _members(clients: Sequence[_Client]) -> dict[str, str]:
    """What each service is called, by its full name: with its package where that is needed."""
    names = {each.service.full_name: lower_first(client_name(each.service)) for each in clients}
    counts = Counter(names.values())
    return {
        full_name: name
        if counts[name] == 1 and name != "session"
        else "_".join(full_name.split(".")[:-1]) + name[:1].upper() + name[1:]
        for full_name, name in names.items()
    }
