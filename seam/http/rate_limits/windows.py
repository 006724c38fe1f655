"""When a counter of sliding windows will allow something again."""

from __future__ import annotations

import math
from typing import NamedTuple

from seam.http.rate import Rate


class Windows(NamedTuple):
    """What was counted in the window before and in this one.

    Attributes:
        previous: count of the window before.
        previous_seconds: for how long it still weighs.
        current: count of this window.
    """

    previous: int
    previous_seconds: float
    current: int


def allows(windows: Windows, rate: Rate, amount: int) -> bool:
    """Whether so many more are within a rate."""
    weighed = windows.previous * windows.previous_seconds / rate.seconds + windows.current
    return math.floor(weighed) + amount <= rate.amount


def seconds_until_allowed(windows: Windows, rate: Rate) -> float:
    """Seconds after which one more is within a rate, if none comes before; at least 0."""
    if allows(windows, rate, 1):
        return 0.0
    # All that still counts has to weigh less than the rate's amount.
    if windows.current < rate.amount:
        weight = (rate.amount - windows.current) / windows.previous
        return max(0.0, windows.previous_seconds - weight * rate.seconds)
    # This window has to become the one before, and to fade then.
    weight = rate.amount / windows.current
    return windows.previous_seconds + max(0.0, 1.0 - weight) * rate.seconds
