"""Writes the sources of a Swift package: a file for each contract, and the way in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codegen.client.names import client_name, lower_camel, lower_first
from codegen.client.roles import Roles, client_methods, types_by_file
from codegen.client.session import SessionRole, refreshes, session_role
from codegen.contract.model import Enum
from codegen.names import camel
from codegen.swift.enums import enum
from codegen.swift.messages import MessageWriter
from codegen.swift.names import escaped, member_name
from codegen.swift.namespaces import Namespaces
from codegen.swift.recursion import Recursion
from codegen.swift.services import ServiceWriter
from codegen.swift.source import bracketed, documentation, indented

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.contract.model import ContractFile, Service
    from codegen.plugin import Output

__all__ = ["package"]


def package(
    files: Sequence[ContractFile], product: str = "client", *, everything: bool = False
) -> Iterator[Output]:
    """The files of a package.

    Args:
        files: the contracts that clients see.
        product: what the client is of: `shop` gives `Shop` and `ShopError`.
        everything: whether to write messages that no method needs, too.
    """
    files = sorted(files, key=lambda file: file.path)
    title = camel(product)
    roles = Roles.of(files, everything=everything)
    by_path = types_by_file(files, roles)
    types = {each.full_name: each for declared in by_path.values() for each in declared}
    clients = [(file, service) for file in files for service in _clients(file)]
    packages = {_package(service) for _, service in clients}
    namespaces = Namespaces(types, title, packages)
    recursion = Recursion(types)
    writers: list[ServiceWriter] = []
    for path, declared in by_path.items():
        own = [(file, service) for file, service in clients if file.path == path]
        inside = (
            namespaces.by_package[_package(own[0][1])]
            if own
            else namespaces.of(declared[0].full_name)
        )
        blocks: list[list[str]] = []
        for file, service in own:
            writer = ServiceWriter(
                service,
                file,
                namespaces=namespaces,
                inside=inside,
                roles=roles,
                product=title,
            )
            writers.append(writer)
            blocks += writer.written()
        for type_ in declared:
            if isinstance(type_, Enum):
                blocks.append(enum(type_, namespaces.own(type_.full_name)))
            else:
                bound = roles.path_fields.get(type_.full_name, frozenset())
                blocks.append(MessageWriter(type_, namespaces, recursion, bound).written())
        yield _file_name(path), _module(path, inside.name, blocks)
    yield f"{title}.swift", _index(title, product, namespaces, writers, files)


def _clients(file: ContractFile) -> list[Service]:
    """The services of a contract that clients call."""
    return [each for each in file.services if any(client_methods(each))]


def _package(service: Service) -> str:
    return service.full_name.rpartition(".")[0]


def _file_name(path: str) -> str:
    """`inventory/v1/api.proto` as `inventory_v1_api.swift`: a module has each file name once."""
    return f"{path.removesuffix('.proto').replace('/', '_')}.swift"


def _module(path: str, namespace: str, blocks: Sequence[Sequence[str]]) -> str:
    rows = [
        f"// Generated from {path}. Do not edit: change the contract instead.",
        "import Foundation",
        "",
        f"extension {namespace} {{",
    ]
    for at, block in enumerate(blocks):
        rows += [""] if at else []
        rows += indented(block)
    return "\n".join([*rows, "}", ""])


def _index(
    title: str,
    product: str,
    namespaces: Namespaces,
    writers: Sequence[ServiceWriter],
    files: Sequence[ContractFile],
) -> str:
    rows = [
        f"// Generated from the contracts of the {product}. Do not edit: change these instead.",
        "import Foundation",
        "",
        f"/// What calls of the {product} throw.",
        f"public typealias {title}Error = ApiError",
    ]
    said = _comments(files, namespaces)
    for namespace in sorted(namespaces.by_package.values(), key=lambda each: each.name):
        text = said.get(namespace.name) or f"What clients of the {product} see of it."
        rows += ["", *documentation(text), f"public enum {namespace.name} {{}}"]
    members = _members(writers)
    rows += ["", f"/// The services of the {product}, and who is signed in."]
    rows.append(f"public struct {title}: Sendable {{")
    for writer, member in zip(writers, members, strict=True):
        rows += documentation(writer.service.comment, 4)
        rows.append(f"    public let {escaped(member)}: {writer.inside.name}.{writer.client}")
    arguments = ["baseURL: baseURL", "options: options", *_session_methods(writers)]
    call = bracketed("let connection = Connection(", arguments, ")", outside=8)
    rows += [
        "    /// Who is signed in; methods that sign in or out keep it up to date.",
        "    public let session: Session",
        "",
        "    /// Make a client. It opens no connection before the first call.",
        "    ///",
        "    /// - Parameters:",
        "    ///   - baseURL: where the server is. A path in it is kept.",
        "    ///   - options: where tokens are kept, when calls are repeated, what carries them.",
        "    public init(baseURL: URL, options: ClientOptions = ClientOptions()) {",
        *indented(call, 8),
    ]
    for writer, member in zip(writers, members, strict=True):
        name = f"{writer.inside.name}.{writer.client}"
        rows.append(f"        self.{member} = {name}(connection: connection)")
    return "\n".join([*rows, "        self.session = connection.session", "    }", "}", ""])


def _comments(files: Sequence[ContractFile], namespaces: Namespaces) -> dict[str, str]:
    """What contracts say of their packages, by the names of these."""
    found: dict[str, str] = {}
    for file in files:
        for name, type_ in file.types.items():
            if type_.location.file == file.path and name in namespaces:
                found.setdefault(namespaces.of(name).name, file.comment)
    return found


def _session_methods(writers: Sequence[ServiceWriter]) -> list[str]:
    """What keeps a session alive and what ends it: the first methods that do."""
    found: dict[str, str] = {}
    for writer in writers:
        for method in writer.methods:
            if refreshes(method, writer.types):
                found.setdefault("refresh", writer.descriptor(method))
            elif session_role(method, writer.types) is SessionRole.ENDS:
                found.setdefault("revoke", writer.descriptor(method))
    return [f"{name}: {found[name]}" for name in ("refresh", "revoke") if name in found]


def _members(writers: Sequence[ServiceWriter]) -> list[str]:
    """What the services are called: with their packages where two would have one name."""
    names = [member_name(lower_first(client_name(writer.service))) for writer in writers]
    counts = Counter([*names, "session"])
    return [
        name
        if counts[name] == 1
        else lower_camel("_".join([*writer.service.full_name.split(".")[:-1], name]))
        for writer, name in zip(writers, names, strict=True)
    ]
