"""Where transports are known to differ, and why it cannot be otherwise: nowhere, at present.

What a network would refuse is refused in strict mode at the latest. By reference, one refusal is
left to strict mode and to the network, because finding out would cost more than the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DIFFERENCES: Final[Mapping[str, frozenset[str]]] = {}
"""Names of checks by transport. They are expected to fail; the test says so when they pass."""

STRICT_AT_THE_LATEST: Final = frozenset(
    {
        # A record's size on the wire is only known once it has been written. The fastest way that
        # is known (msgspec's MessagePack, as an upper bound) takes a microsecond for a kibibyte,
        # half of what the whole call may cost.
        "a_message_that_is_too_large_is_refused",
    }
)
"""Names of checks that a transport need not pass if it hands records over by reference."""
