"""Limits that one process counts alone."""

from __future__ import annotations

import math

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Refusal
from seam.http.rate_limits.memory import MemoryCounter
from seam.http.rate_limits.windows import Windows, seconds_until_allowed


class LocalLimiter:
    """Counts in this process alone."""

    def __init__(self, name: str, rate: Rate, counter: MemoryCounter | None = None) -> None:
        """Count in memory.

        Args:
            name: what the limit is called.
            rate: what it allows under each key.
            counter: counts by this rate; a new one by default.
        """
        self._name = name
        self._rate = rate
        self._count = (counter or MemoryCounter(rate)).count

    async def hit(self, key: str) -> Refusal | None:
        """Count a request; says why when it is one too many."""
        return self.count(key)

    def count(self, key: str) -> Refusal | None:
        """As `hit`, which waits for nothing here."""
        counted = self._count(key)
        return None if counted is None else refusal(self._name, self._rate, counted)


def refusal(name: str, rate: Rate, windows: Windows) -> Refusal:
    """Refuse a request, and say when the next one will be within the limit."""
    # At that very moment it is one too many still.
    return Refusal(name, rate, math.floor(seconds_until_allowed(windows, rate)) + 1)
