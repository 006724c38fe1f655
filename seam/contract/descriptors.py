"""What generated code says about a service: methods, their records, limits and errors; events."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seam.contract.access import Access
from seam.contract.errors import ContractError
from seam.contract.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # Records know nothing of Protocol Buffers, and are imported with this module.
    from seam.codec.wire import Codec

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class IdempotencyLevel(enum.Enum):
    """Whether a method may be called twice; `idempotency_level` of the contract."""

    UNKNOWN = "UNKNOWN"
    NO_SIDE_EFFECTS = "NO_SIDE_EFFECTS"
    IDEMPOTENT = "IDEMPOTENT"


class Kind(enum.Enum):
    """How many records a method takes and answers with.

    Attributes:
        client_streaming: whether the request is a stream.
        server_streaming: whether the response is a stream.
    """

    UNARY = (False, False)
    SERVER_STREAMING = (False, True)
    CLIENT_STREAMING = (True, False)
    BIDIRECTIONAL = (True, True)

    def __init__(self, client_streaming: bool, server_streaming: bool) -> None:
        """Describe one kind."""
        self.client_streaming = client_streaming
        self.server_streaming = server_streaming


@dataclass(frozen=True, slots=True, eq=False)
class ErrorDescriptor(Generic[Q]):
    """A typed error that a method declares, and how its record travels."""

    exception: type[ContractError[Q]]
    codec: Codec[Q]


@dataclass(frozen=True, slots=True, eq=False)
class MethodDescriptor(Generic[Q, S]):
    """One method of a contract.

    Attributes:
        service: full name of the contract service, such as `inventory.v1.Inventory`.
        name: name of the method in the contract, such as `BatchGetItems`.
        kind: whether requests and responses are single records or streams.
        request: codec of the request records.
        response: codec of the response records.
        timeout: seconds a call may take when the caller sets no limit.
        idempotency_level: whether the method may be called twice.
        errors: the typed errors that may cross the bus; any other is internal.
        access: who may call it.
        full_name: name for people, and path for gRPC: `inventory.v1.Inventory/BatchGetItems`.
    """

    service: str
    name: str
    kind: Kind
    request: Codec[Q]
    response: Codec[S]
    timeout: float
    idempotency_level: IdempotencyLevel
    errors: tuple[ErrorDescriptor[Any], ...]
    access: Access
    full_name: str = field(init=False)

    def __post_init__(self) -> None:
        """Put the full name together, once."""
        object.__setattr__(self, "full_name", f"{self.service}/{self.name}")

    @property
    def owner(self) -> str:
        """Name of the service that provides it: the first part of the contract's package."""
        return self.service.partition(".")[0]

    @property
    def retriable(self) -> bool:
        """Whether a call may be made again when its outcome is not known."""
        return self.idempotency_level is not IdempotencyLevel.UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class ServiceDescriptor:
    """One service of a contract, whatever implements it.

    Attributes:
        name: full name, such as `inventory.v1.Inventory`.
        methods: the methods in the order of the contract.
    """

    name: str
    methods: tuple[MethodDescriptor[Any, Any], ...]

    @property
    def owner(self) -> str:
        """Name of the service that provides it: the first part of the contract's package."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True, eq=False)
class EventDescriptor(Generic[Q]):
    """One event of a contract, which its service publishes.

    Attributes:
        type: full name, such as `orders.v1.OrderConfirmed`; the `type` of CloudEvents.
        codec: codec of the event's records.
        key: gives the value that orders events: those with the same one arrive as published.
        subscribers: the services that may subscribe to it, besides the one that publishes it.
        asyncapi: loads the `channels`, `operations` and `components` of the contract's AsyncAPI
            document, which nobody but the publisher's process needs.
    """

    type: str
    codec: Codec[Q]
    key: Callable[[Q], str]
    subscribers: frozenset[str] = frozenset()
    asyncapi: Callable[[], Mapping[str, Any]] = dict

    @property
    def owner(self) -> str:
        """Name of the service that publishes it: the first part of the contract's package."""
        return self.type.partition(".")[0]
