"""What travels with a call: deadline, trace, principal, caller, baggage, metadata."""

from seam.call.context import (
    Baggage,
    CallContext,
    call_scope,
    current_call,
    current_principal,
    remaining,
)
from seam.call.idempotency_key import IDEMPOTENCY_KEY, check_idempotency_key, idempotency_key
from seam.call.metadata import EMPTY, Metadata, MetadataValue, check_metadata
from seam.call.principal import ANONYMOUS, Principal

__all__ = [
    "ANONYMOUS",
    "EMPTY",
    "IDEMPOTENCY_KEY",
    "Baggage",
    "CallContext",
    "Metadata",
    "MetadataValue",
    "Principal",
    "call_scope",
    "check_idempotency_key",
    "check_metadata",
    "current_call",
    "current_principal",
    "idempotency_key",
    "remaining",
]
