"""The time of day, which every process of the service must agree on to a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Gives the time in microseconds since the epoch. It may jump, forwards and backwards."""

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND


def wall_clock() -> int:
    """The time now, in microseconds since the epoch."""
    return time.time_ns() // 1000
