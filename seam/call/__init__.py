"""What travels with a call: deadline, trace, principal, baggage, metadata."""

from seam.call.context import Baggage, CallContext, call_scope, current_call, remaining
from seam.call.idempotency_key import IDEMPOTENCY_KEY, check_idempotency_key, idempotency_key
from seam.call.metadata import EMPTY, Metadata, MetadataValue, check_metadata

__all__ = [
    "EMPTY",
    "IDEMPOTENCY_KEY",
    "Baggage",
    "CallContext",
    "Metadata",
    "MetadataValue",
    "call_scope",
    "check_idempotency_key",
    "check_metadata",
    "current_call",
    "idempotency_key",
    "remaining",
]
