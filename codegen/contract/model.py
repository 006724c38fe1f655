"""What a contract says, as typed values: the model that every generator reads.

`codegen.contract.loading` builds it from Protocol Buffers descriptors and refuses what cannot be
generated, so that a generator that holds a model need not check anything again. Its parts are in
modules of their own: `field_types`, `messages`, `methods` and `problems`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from codegen.contract.field_types import (
    FieldType,
    MapType,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.contract.messages import (
    Enum,
    EnumValue,
    ErrorSpec,
    EventSpec,
    Field,
    Member,
    Message,
    OneOf,
    Presence,
    Rules,
)
from codegen.contract.methods import (
    Access,
    HttpBinding,
    IdempotencyLevel,
    Kind,
    Method,
    Resume,
    Service,
)
from codegen.contract.problems import (
    Location,
    Problem,
    RefusedContractError,
)

__all__ = [
    "Access",
    "ContractFile",
    "Enum",
    "EnumValue",
    "ErrorSpec",
    "EventSpec",
    "Field",
    "FieldType",
    "HttpBinding",
    "IdempotencyLevel",
    "Kind",
    "Location",
    "MapType",
    "Member",
    "Message",
    "Method",
    "OneOf",
    "Presence",
    "Problem",
    "RefusedContractError",
    "Resume",
    "Rules",
    "Scalar",
    "Service",
    "TypeRef",
    "WellKnown",
    "Wrapper",
]


@dataclass(frozen=True)
class ContractFile:
    """One `.proto` file."""

    path: str
    module: str
    pb2_package: str
    pb2_name: str
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    services: tuple[Service, ...]
    comment: str
    types: dict[str, Message | Enum] = field(repr=False, compare=False)
    """Every type in the import closure by full name."""

    @property
    def events(self) -> tuple[Message, ...]:
        """The messages that are events."""
        return tuple(message for message in self.messages if message.event is not None)
