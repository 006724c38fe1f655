"""Where transports are known to differ, and why it cannot be otherwise.

A check that is named here is expected to fail on the transport; the test says so when it passes.
"""

from __future__ import annotations

from typing import Final

DIFFERENCES: Final = {
    "by reference": {
        # A record's size on the wire is only known once it has been written. The fastest way that
        # is known (msgspec's MessagePack, as an upper bound) takes a microsecond for a kibibyte,
        # half of what the whole call may cost. Strict mode writes every record, and refuses what is
        # too large, so that a test finds it.
        "a_message_that_is_too_large_is_refused",
    },
}
