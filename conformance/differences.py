"""Where transports are known to differ, and why it cannot be otherwise.

A check that is named here is expected to fail on the transport; the test says so when it passes.
"""

from __future__ import annotations

from typing import Final

DIFFERENCES: Final = {
    "by reference": {
        # A record's size on the wire is only known once it has been written: that costs tens of
        # times what the call costs. Strict mode writes every record, and refuses what is too large.
        "a_message_that_is_too_large_is_refused",
    },
}
