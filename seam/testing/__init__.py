"""What tests of services stand on. No artifact holds it."""

from seam.testing.mock import (
    MockBidirectional,
    MockClientStreaming,
    MockMethod,
    MockServerStreaming,
    strict_channel,
)

__all__ = [
    "MockBidirectional",
    "MockClientStreaming",
    "MockMethod",
    "MockServerStreaming",
    "strict_channel",
]
