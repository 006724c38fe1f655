"""What the messages of all contracts are called, in their packages and elsewhere."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from codegen.client.names import client_name
from codegen.client.roles import Roles, client_methods, primary_binding, types_by_file
from codegen.contract.declarations import EMPTY, FIELD_MASK
from codegen.contract.model import Enum, Kind, Message, OneOf
from codegen.kotlin.names import (
    TYPES,
    NameAllocator,
    case_name,
    package_name,
    property_name,
    type_name,
)
from codegen.kotlin.source import Imports
from codegen.names import camel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from codegen.contract.model import ContractFile, Service, TypeRef

__all__ = ["ClientNames", "Module", "Modules", "OneOfNames"]


class ClientNames:
    """What a service is called in its package.

    Args:
        service: the service.
        names: the names of the package.
    """

    def __init__(self, service: Service, names: NameAllocator) -> None:
        name = type_name(client_name(service))
        self.client = names.take(f"{name}Client")
        self.exception = names.take(f"{name}Exception")


class OneOfNames:
    """What a oneof is called inside of its message, and its cases inside of it.

    Args:
        oneof: the oneof.
        taken: the names inside of the message.
    """

    def __init__(self, oneof: OneOf, taken: NameAllocator) -> None:
        self.interface = taken.take(type_name(camel(oneof.name)) or "Choice")
        cases = NameAllocator({self.interface, "Companion"})
        self.cases = {case.name: cases.take(case_name(case)) for case in oneof.cases}


class Modules:
    """All files of a client.

    Args:
        files: the contracts.
        product: what the client is of.
        everything: whether to write messages that no method needs, too.
    """

    def __init__(self, files: Sequence[ContractFile], product: str, *, everything: bool) -> None:
        self.types: Mapping[str, Message | Enum] = {
            name: each for file in files for name, each in file.types.items()
        }
        self.roles = Roles.of(files, everything=everything)
        self.path_fields = _path_fields(files)
        services = {file.path: file.services for file in files}
        names: defaultdict[str, NameAllocator] = defaultdict(lambda: NameAllocator(TYPES))
        self.by_path = {
            path: Module(
                path,
                package_name(path, product),
                declared,
                self,
            )
            for path, declared in types_by_file(files, self.roles).items()
        }
        # First what callers see, in all files of a package, and then what they do not.
        for module in self.by_path.values():
            module.name_types(names[module.package])
        for module in self.by_path.values():
            module.name_clients(services.get(module.path, ()), names[module.package])
        for module in self.by_path.values():
            module.name_codecs(names[module.package])

    def home(self, full_name: str) -> Module:
        """The module of a message or an enum."""
        return self.by_path[self.types[full_name].location.file]


def _path_fields(files: Sequence[ContractFile]) -> Mapping[str, frozenset[str]]:
    """The fields of a request that callers must give, since a path needs them.

    What is said in a conversation has none: its path is known by then.
    """
    found: dict[str, frozenset[str]] = {}
    talks: set[str] = set()
    for file in files:
        for service in file.services:
            for method in client_methods(service):
                request = method.request.full_name
                bound = {field.name for field in primary_binding(method).path_fields}
                found[request] = found.get(request, frozenset()) | bound
                if method.kind is Kind.BIDIRECTIONAL:
                    talks.add(request)
    return {name: fields for name, fields in found.items() if name not in talks}


class Module:
    """The names of one file.

    Args:
        path: the contract's path.
        package: its package.
        declared: its messages and enums that clients know, in its order.
        modules: all files.
    """

    def __init__(
        self, path: str, package: str, declared: Sequence[Message | Enum], modules: Modules
    ) -> None:
        self.path = path
        self.package = package
        self.declared = declared
        self._modules = modules
        self._types: dict[str, str] = {}
        self._codecs: dict[str, str] = {}
        self.clients: dict[str, ClientNames] = {}
        self.properties: dict[str, dict[str, str]] = {}
        self.oneofs: dict[str, dict[str, OneOfNames]] = {}
        self.imports = Imports(package, ())

    def name_types(self, names: NameAllocator) -> None:
        """Name what callers see of messages and enums."""
        for type_ in self.declared:
            self._types[type_.full_name] = names.take(type_name(type_.name))
            if isinstance(type_, Message):
                properties, nested = NameAllocator(), NameAllocator({"Companion"})
                nested.take(self._types[type_.full_name])
                self.properties[type_.full_name] = {
                    member.name: properties.take(property_name(member)) for member in type_.members
                }
                self.oneofs[type_.full_name] = {
                    member.name: OneOfNames(member, nested)
                    for member in type_.members
                    if isinstance(member, OneOf)
                }

    def name_clients(self, services: Sequence[Service], names: NameAllocator) -> None:
        """Name what callers see of services."""
        for service in services:
            if any(client_methods(service)):
                self.clients[service.full_name] = ClientNames(service, names)

    def name_codecs(self, names: NameAllocator) -> None:
        """Name what reads and writes."""
        for type_ in self.declared:
            self._codecs[type_.full_name] = names.take(f"{type_name(type_.name)}Type")
        declared = {*self._types.values(), *self._codecs.values()}
        self.imports = Imports(self.package, declared)

    @property
    def types(self) -> Mapping[str, Message | Enum]:
        """Every message and enum by full name."""
        return self._modules.types

    def own(self, full_name: str) -> str:
        """What one of this file's types is called."""
        return self._types[full_name]

    def own_codec(self, full_name: str) -> str:
        """What reads and writes one of this file's types."""
        return self._codecs[full_name]

    def is_given(self, message: Message, name: str) -> bool:
        """Whether a path needs a field of a message."""
        return name in self._modules.path_fields.get(message.full_name, ())

    def home(self, full_name: str) -> Module:
        """The file of a message or an enum."""
        return self._modules.home(full_name)

    def type(self, ref: TypeRef, hidden: Collection[str] = ()) -> str:
        """What a type is called here, wherever it is from.

        Args:
            ref: the type.
            hidden: names that mean something else where it is written.
        """
        if ref.full_name in (EMPTY, FIELD_MASK):
            return self.imports.known("Unit" if ref.full_name == EMPTY else "FieldMask", hidden)
        home = self.home(ref.full_name)
        return self.imports.name(home.package, home.own(ref.full_name), hidden)

    def codec(self, ref: TypeRef) -> str:
        """What reads and writes a type, wherever it is from."""
        if ref.full_name in (EMPTY, FIELD_MASK):
            return self.imports.known("EmptyType" if ref.full_name == EMPTY else "FIELD_MASK")
        home = self.home(ref.full_name)
        return self.imports.name(home.package, home.own_codec(ref.full_name))
