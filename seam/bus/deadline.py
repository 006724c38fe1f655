"""How long a call may take, and the error of one that took longer, on every transport."""

from __future__ import annotations

import math
from typing import Any, Final

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, InvalidField, StatusError

LONGEST_TIMEOUT: Final = 365 * 86_400.0
"""Seconds that a caller may grant at most; gRPC cannot say much more."""


def check_timeout(seconds: float) -> float:
    """Check a time limit that a caller sets for a call.

    Args:
        seconds: the limit; what is not above zero is over at once.

    Raises:
        InvalidField: no transport could keep it.
    """
    if -math.inf < seconds <= LONGEST_TIMEOUT:
        return seconds
    raise InvalidField(
        "timeout", f"expected seconds, at most {LONGEST_TIMEOUT:.0f}, got {seconds!r:.50}"
    )


def deadline_exceeded(method: MethodDescriptor[Any, Any]) -> StatusError:
    """The status of a call whose time ran out."""
    return StatusError(Code.DEADLINE_EXCEEDED, f"{method.full_name} exceeded its deadline")
