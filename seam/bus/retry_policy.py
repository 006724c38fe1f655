"""When a call to another process is made again: what all transports between processes keep to.

Only methods that may be called twice are, and only when the callee was not available.
Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md.
"""

from __future__ import annotations

from typing import Final

ATTEMPTS: Final = 4
"""How often a call is made at most."""

FIRST_BACKOFF: Final = 0.05
"""Seconds that pass before the second attempt, more or less."""

BACKOFF_MULTIPLIER: Final = 2
LONGEST_BACKOFF: Final = 1

# A call that fails costs one token of ten, one that goes well earns a tenth; below five tokens
# nothing is tried again, so that a peer in trouble is not buried under retries.
TOKENS: Final = 10
TOKEN_RATIO: Final = 0.1
