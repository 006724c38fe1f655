"""What generated code says about a service: its methods, their records, limits and errors."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
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


@dataclass(frozen=True, slots=True, eq=False)
class ErrorType(Generic[Q]):
    """A typed error that a method declares, and how its record travels."""

    exception: type[ContractError[Q]]
    codec: Codec[Q]


@dataclass(frozen=True, slots=True, eq=False)
class UnaryMethod(Generic[Q, S]):
    """One method of a contract that takes one record and answers with one.

    Attributes:
        service: full name of the contract service, such as `inventory.v1.Inventory`.
        name: name of the method in the contract, such as `BatchGetItems`.
        request: codec of the request record.
        response: codec of the response record.
        timeout: seconds a call may take when the caller sets no limit.
        idempotency: whether the method may be called twice.
        errors: the typed errors that may cross the bus; any other is internal.
    """

    service: str
    name: str
    request: Codec[Q]
    response: Codec[S]
    timeout: float
    idempotency: Idempotency
    errors: tuple[ErrorType[Any], ...]

    @property
    def full_name(self) -> str:
        """Name for people: `inventory.v1.Inventory/BatchGetItems`."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class ServiceContract:
    """One service of a contract, whoever implements it.

    Attributes:
        name: full name, such as `inventory.v1.Inventory`.
        methods: the methods in the order of the contract.
    """

    name: str
    methods: tuple[UnaryMethod[Any, Any], ...]

    @property
    def owner(self) -> str:
        """Name of the service that provides it: the first part of the contract's package."""
        return self.name.partition(".")[0]


class Binding:
    """A contract service together with the handler functions that answer it."""

    __slots__ = ("contract", "handlers")

    def __init__(
        self,
        contract: ServiceContract,
        handlers: Mapping[str, Callable[[Any], Awaitable[Any]]],
    ) -> None:
        """Pair `contract` with one function per method.

        Args:
            contract: the service that is answered.
            handlers: method name to the function that takes its request record.

        Raises:
            ValueError: a method has no function, or a function has no method.
        """
        expected = {method.name for method in contract.methods}
        if expected != handlers.keys():
            odd = ", ".join(sorted(expected ^ handlers.keys()))
            raise ValueError(f"{contract.name}: methods and handlers differ in {odd}")
        self.contract = contract
        self.handlers = dict(handlers)
