"""What tests of services stand on. No artifact holds it."""

from seam.testing.mock import (
    MockBidirectional,
    MockClientStreaming,
    MockMethod,
    MockServerStreaming,
    strict_channel,
)
from seam.testing.signed_in import signed_in

__all__ = [
    "MockBidirectional",
    "MockClientStreaming",
    "MockMethod",
    "MockServerStreaming",
    "signed_in",
    "strict_channel",
]
