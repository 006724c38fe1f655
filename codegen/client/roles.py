"""Which messages clients send and which they receive: they write the former and read the latter.

Whoever writes a message leaves out what has a default; whoever reads one finds everything there. So
a message that goes both ways has two types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.contract.declarations import EMPTY, FIELD_MASK
from codegen.contract.model import Enum, Message, TypeRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from codegen.contract.model import ContractFile, HttpBinding, Method, Service

__all__ = ["Roles", "client_methods", "primary_binding", "types_by_file"]


@dataclass(frozen=True)
class Roles:
    """What clients do with messages, by full name."""

    sent: frozenset[str]
    received: frozenset[str]
    enums: frozenset[str]
    path_fields: Mapping[str, frozenset[str]]
    """The fields of a request that a path needs, by the request's full name."""

    @classmethod
    def of(cls, files: Sequence[ContractFile], *, everything: bool = False) -> Roles:
        """The roles of the messages of some contracts and of all that they import.

        Args:
            files: the contracts.
            everything: whether each message is received, also one that no method answers with.
        """
        types = {name: each for file in files for name, each in file.types.items()}
        sent: list[str] = []
        received: list[str] = []
        path_fields: dict[str, frozenset[str]] = {}
        for file in files:
            for service in file.services:
                for method in client_methods(service):
                    request = method.request.full_name
                    sent.append(request)
                    received.append(method.response.full_name)
                    received += [error.full_name for error in method.errors]
                    bound = {field.name for field in primary_binding(method).path_fields}
                    path_fields[request] = path_fields.get(request, frozenset()) | bound
            if everything:
                received += [message.full_name for message in file.messages]
        all_sent, sent_enums = _closure(sent, types)
        all_received, received_enums = _closure(received, types)
        return cls(all_sent, all_received, sent_enums | received_enums, path_fields)

    def has(self, full_name: str) -> bool:
        """Whether clients know a message at all."""
        return full_name in self.sent or full_name in self.received


def client_methods(service: Service) -> Iterator[Method]:
    """The methods of a service that clients can call."""
    return (method for method in service.methods if method.http)


def primary_binding(method: Method) -> HttpBinding:
    """How clients call a method; its other bindings are for those who know no client."""
    return method.http[0]


def types_by_file(
    files: Sequence[ContractFile], roles: Roles
) -> dict[str, tuple[Message | Enum, ...]]:
    """What clients know of each file that they see something of, by its path, in their orders.

    A file that only has methods has no types, and one that is only imported has nothing else.

    Args:
        files: the contracts that clients see.
        roles: what clients do with messages.
    """
    found: dict[str, dict[str, Message | Enum]] = {
        file.path: {}
        for file in files
        if any(any(client_methods(service)) for service in file.services)
    }
    for file in files:
        for name, type_ in file.types.items():
            if roles.has(name) or name in roles.enums:
                found.setdefault(type_.location.file, {})[name] = type_
    return {
        path: tuple(sorted(types.values(), key=lambda each: (each.location, each.full_name)))
        for path, types in sorted(found.items())
    }


def _closure(
    roots: Iterable[str], types: Mapping[str, Message | Enum]
) -> tuple[frozenset[str], frozenset[str]]:
    messages: set[str] = set()
    enums: set[str] = set()
    pending = list(roots)
    while pending:
        found = types[pending.pop()]
        if isinstance(found, Enum):
            enums.add(found.full_name)
        elif found.full_name not in messages and found.full_name not in (EMPTY, FIELD_MASK):
            messages.add(found.full_name)
            pending += [
                field.type.full_name
                for field in found.all_fields
                if isinstance(field.type, TypeRef)
            ]
    return frozenset(messages), frozenset(enums)
