"""One generated module: what its contract's messages are called there and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.client.names import lower_first
from codegen.client.roles import types_by_file
from codegen.contract.declarations import EMPTY, FIELD_MASK
from codegen.contract.model import Enum, Message, OneOf
from codegen.typescript.names import NameAllocator
from codegen.typescript.source import Imports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codegen.client.roles import Roles
    from codegen.contract.model import ContractFile, TypeRef

__all__ = ["Module", "Modules"]


class Modules:
    """All modules of a package, by the paths of their contracts.

    Args:
        files: the contracts.
        roles: what clients do with their messages.
    """

    def __init__(self, files: Sequence[ContractFile], roles: Roles) -> None:
        self.types: Mapping[str, Message | Enum] = {
            name: each for file in files for name, each in file.types.items()
        }
        self.roles = roles
        self.by_path = {
            path: Module(path, declared, self)
            for path, declared in types_by_file(files, roles).items()
        }

    def home(self, full_name: str) -> Module:
        """The module of a message or an enum."""
        return self.by_path[self.types[full_name].location.file]


class Module:
    """The names of one module.

    Args:
        path: the contract's path.
        declared: its messages and enums that clients know, in its order.
        modules: all modules.
    """

    def __init__(self, path: str, declared: Sequence[Message | Enum], modules: Modules) -> None:
        self.path = path
        self.declared = declared
        self.roles = modules.roles
        self.names = NameAllocator()
        self.imports = Imports(path, self.names)
        self._modules = modules
        self._types: dict[tuple[str, bool], str] = {}
        self._oneofs: dict[tuple[str, bool], str] = {}
        self._schemas: dict[str, str] = {}
        for type_ in declared:
            self._name(type_)

    def _name(self, type_: Message | Enum) -> None:
        full_name = type_.full_name
        received = isinstance(type_, Enum) or full_name in self.roles.received
        if received:
            self._types[full_name, False] = self.names.take(type_.name)
        sent = isinstance(type_, Message) and full_name in self.roles.sent
        if sent:
            name = f"{type_.name}Input" if received else type_.name
            self._types[full_name, True] = self.names.take(name)
        self._schemas[full_name] = self.names.take(f"{lower_first(type_.name)}Type")
        for member in type_.members if isinstance(type_, Message) else ():
            if isinstance(member, OneOf):
                key = f"{full_name}.{member.name}"
                if received:
                    self._oneofs[key, False] = self.names.take(member.alias)
                if sent:
                    alias = f"{member.alias}Input" if received else member.alias
                    self._oneofs[key, True] = self.names.take(alias)

    def home(self, full_name: str) -> Module:
        """The module of a message or an enum."""
        return self._modules.home(full_name)

    def own(self, full_name: str, *, sent: bool = False) -> str:
        """What one of this module's types is called.

        Args:
            full_name: its name in the contract.
            sent: whether the type of what is sent is meant.
        """
        return self._types[full_name, sent and (full_name, True) in self._types]

    def own_schema(self, full_name: str) -> str:
        """What the description of one of this module's types is called."""
        return self._schemas[full_name]

    def oneof(self, message: Message, oneof: OneOf, *, sent: bool) -> str:
        """What the type of a oneof is called."""
        return self._oneofs[f"{message.full_name}.{oneof.name}", sent]

    def type(self, ref: TypeRef, *, sent: bool) -> str:
        """What a type is called here, wherever it is from."""
        if ref.full_name == EMPTY:
            return self.imports.runtime("Empty")
        if ref.full_name == FIELD_MASK:
            return "readonly string[]" if sent else "string[]"
        home = self.home(ref.full_name)
        return self.imports.name(home.path, home.own(ref.full_name, sent=sent))

    def schema(self, ref: TypeRef) -> str:
        """What the description of a type is called here, wherever it is from."""
        if ref.full_name in (EMPTY, FIELD_MASK):
            return self.imports.runtime("emptyType" if ref.full_name == EMPTY else "fieldMaskType")
        home = self.home(ref.full_name)
        return self.imports.name(home.path, home.own_schema(ref.full_name), is_value=True)
