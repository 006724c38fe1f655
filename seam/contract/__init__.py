"""What generated code is made of: records, typed errors, and descriptors of services and events."""

from seam.contract.access import NOBODY, Access
from seam.contract.descriptors import (
    ErrorDescriptor,
    EventDescriptor,
    IdempotencyLevel,
    Kind,
    MethodDescriptor,
    ServiceDescriptor,
)
from seam.contract.errors import (
    Code,
    ContractError,
    InvalidArgumentError,
    InvalidField,
    StatusError,
)
from seam.contract.records import Empty, FieldMask, OpenEnum, Record, freeze_mappings

__all__ = [
    "NOBODY",
    "Access",
    "Code",
    "ContractError",
    "Empty",
    "ErrorDescriptor",
    "EventDescriptor",
    "FieldMask",
    "IdempotencyLevel",
    "InvalidArgumentError",
    "InvalidField",
    "Kind",
    "MethodDescriptor",
    "OpenEnum",
    "Record",
    "ServiceDescriptor",
    "StatusError",
    "freeze_mappings",
]
