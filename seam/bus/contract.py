"""What generated code says about a service: its methods, their records, limits and errors."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seam.errors import ContractError
from seam.records import Record
from seam.wire import Codec

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class Idempotency(enum.Enum):
    """Whether a method may be called twice; `idempotency_level` of the contract."""

    UNKNOWN = "UNKNOWN"
    NO_SIDE_EFFECTS = "NO_SIDE_EFFECTS"
    IDEMPOTENT = "IDEMPOTENT"


class Kind(enum.Enum):
    """How many records a method takes and answers with.

    Attributes:
        takes_many: whether the request is a stream.
        gives_many: whether the response is a stream.
    """

    UNARY = (False, False)
    SERVER_STREAMING = (False, True)
    CLIENT_STREAMING = (True, False)
    BIDIRECTIONAL = (True, True)

    def __init__(self, takes_many: bool, gives_many: bool) -> None:
        """Describe one kind."""
        self.takes_many = takes_many
        self.gives_many = gives_many


@dataclass(frozen=True, slots=True, eq=False)
class ErrorType(Generic[Q]):
    """A typed error that a method declares, and how its record travels."""

    exception: type[ContractError[Q]]
    codec: Codec[Q]


@dataclass(frozen=True, slots=True, eq=False)
class Method(Generic[Q, S]):
    """One method of a contract.

    Attributes:
        service: full name of the contract service, such as `inventory.v1.Inventory`.
        name: name of the method in the contract, such as `BatchGetItems`.
        kind: whether requests and responses are single records or streams.
        request: codec of the request records.
        response: codec of the response records.
        timeout: seconds a call may take when the caller sets no limit.
        idempotency: whether the method may be called twice.
        errors: the typed errors that may cross the bus; any other is internal.
    """

    service: str
    name: str
    kind: Kind
    request: Codec[Q]
    response: Codec[S]
    timeout: float
    idempotency: Idempotency
    errors: tuple[ErrorType[Any], ...]

    @property
    def full_name(self) -> str:
        """Name for people, and path for gRPC: `inventory.v1.Inventory/BatchGetItems`."""
        return f"{self.service}/{self.name}"

    @property
    def retriable(self) -> bool:
        """Whether a call may be made again when its outcome is not known."""
        return self.idempotency is not Idempotency.UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class ServiceContract:
    """One service of a contract, whoever implements it.

    Attributes:
        name: full name, such as `inventory.v1.Inventory`.
        methods: the methods in the order of the contract.
    """

    name: str
    methods: tuple[Method[Any, Any], ...]

    @property
    def owner(self) -> str:
        """Name of the service that provides it: the first part of the contract's package."""
        return self.name.partition(".")[0]


class Binding:
    """A contract service together with the handler functions that answer it."""

    __slots__ = ("contract", "handlers")

    def __init__(
        self, contract: ServiceContract, handlers: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        """Pair `contract` with one function per method.

        Args:
            contract: the service that is answered.
            handlers: method name to the function that takes its request, or an asynchronous
                iterator of requests, and gives an awaitable of the response, or an asynchronous
                iterator of responses.

        Raises:
            ValueError: a method has no function, or a function has no method.
        """
        expected = {method.name for method in contract.methods}
        if expected != handlers.keys():
            odd = ", ".join(sorted(expected ^ handlers.keys()))
            raise ValueError(f"{contract.name}: methods and handlers differ in {odd}")
        self.contract = contract
        self.handlers = dict(handlers)
