"""What travels with a call: deadline, trace, principal, baggage, metadata."""

from seam.call.context import Baggage, CallContext, call_scope, current_call, remaining
from seam.call.metadata import EMPTY, Metadata, MetadataValue, check_metadata

__all__ = [
    "EMPTY",
    "Baggage",
    "CallContext",
    "Metadata",
    "MetadataValue",
    "call_scope",
    "check_metadata",
    "current_call",
    "remaining",
]
