"""What other engines are told of our contracts: which services clients see, and all their types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module  # noqa: TID251 (of contracts, which services bring along)
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from seam.contract import ServiceDescriptor
from seam.runtime import Service

_VARIABLE: Final = re.compile(r"\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class HttpPath:
    """A path that contracts bind.

    Attributes:
        template: the path as the OpenAPI document has it, such as `/v1/orders/{orderId}:cancel`.
        methods: the HTTP methods by which one answer is given to one request.
        owner: the service that answers it.
        streamed: the HTTP methods that are answered by server-sent events or a WebSocket.
    """

    template: str
    methods: tuple[str, ...]
    owner: str
    streamed: tuple[str, ...] = ()

    @property
    def regex(self) -> str:
        """What matches the path as it is sent; a variable is one segment."""
        literals = [re.escape(part) for part in _VARIABLE.split(self.template)]
        return "[^/]+".join(literals)

    @property
    def has_verb(self) -> bool:
        """Whether a verb follows a variable at its end, as in `{orderId}:cancel`."""
        return "}:" in self.template


def http_paths(services: Sequence[Service]) -> list[HttpPath]:
    """The paths that contracts bind, literal ones before those with variables."""
    found = [
        HttpPath(
            template,
            tuple(sorted(verb.upper() for verb in verbs if not _is_streamed(verbs[verb]))),
            service.name,
            tuple(sorted(verb.upper() for verb in verbs if _is_streamed(verbs[verb]))),
        )
        for service in services
        for api in service.http
        for template, verbs in api.openapi["paths"].items()
        # Services of one contract share its document.
        if any(api.descriptor.name in operation["tags"] for operation in verbs.values())
    ]
    return sorted(found, key=lambda path: (_VARIABLE.sub("\x7f", path.template), path.owner))


def _is_streamed(operation: Mapping[str, Any]) -> bool:
    """Whether OpenAPI has an operation answer with more than one body."""
    good = operation["responses"].get("200", {})
    return "x-websocket" in operation or "text/event-stream" in good.get("content", ())


def client_facing(services: Sequence[Service]) -> list[ServiceDescriptor]:
    """The contract services that clients see, in the order of the services that answer them."""
    return [api.descriptor for service in services for api in service.http]


def descriptor_set(contracts: Sequence[ServiceDescriptor]) -> bytes:
    """A serialized `FileDescriptorSet` of contract services.

    It holds their files with all that these import, each after what it imports, and what a status
    is made of: the messages of their errors, and those of gRPC's own details.
    """
    found: dict[str, FileDescriptor] = {}
    for module in (status_pb2, error_details_pb2):
        for file in _with_imports(module.DESCRIPTOR):
            found.setdefault(file.name, file)
    for contract in contracts:
        for method in contract.methods:
            for codec in (method.request, method.response, *(each.codec for each in method.errors)):
                for file in _with_imports(codec.message_type.DESCRIPTOR.file):
                    found.setdefault(file.name, file)
        # A service may stand in another file than all of its messages.
        for file in _with_imports(_file_of(contract)):
            found.setdefault(file.name, file)
    descriptors = FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(descriptors.file.add())
    return descriptors.SerializeToString(deterministic=True)


def _file_of(contract: ServiceDescriptor) -> FileDescriptor:
    """The file of a contract service that clients see, which is its package's `api.proto`.

    Where all messages are of other contracts, nothing has imported it. It is there all the same:
    what is generated of a contract comes with the contract.
    """
    package = contract.name.rpartition(".")[0]
    file: FileDescriptor = import_module(f"{package}.api_pb2").DESCRIPTOR
    return file


def _with_imports(file: Any) -> Iterator[FileDescriptor]:  # noqa: ANN401 (types-protobuf has two)
    for imported in file.dependencies:
        yield from _with_imports(imported)
    yield file
