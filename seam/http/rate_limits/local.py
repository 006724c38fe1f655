"""Limits that one process counts alone."""

from __future__ import annotations

import math

from limits import RateLimitItemPerSecond
from limits.strategies import SlidingWindowCounterRateLimiter

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Refusal
from seam.http.rate_limits.memory import MemoryStorage
from seam.http.rate_limits.windows import Windows, seconds_until_allowed


class LocalLimiter:
    """Counts in this process alone."""

    def __init__(self, name: str, rate: Rate, storage: MemoryStorage) -> None:
        """Count in `storage`.

        Args:
            name: what the limit is called.
            rate: what it allows under each key.
            storage: where it counts; limits of several names may share it.
        """
        self._name = name
        self._rate = rate
        self._item = item_of(rate)
        self._storage = storage
        self._strategy = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, key: str) -> Refusal | None:
        """Count a request; says why when it is one too many."""
        if self._strategy.hit(self._item, self._name, key):
            return None
        counted = self._storage.get_sliding_window(
            self._item.key_for(self._name, key), self._rate.seconds
        )
        return refusal(self._name, self._rate, Windows(*counted[:3]))


def item_of(rate: Rate) -> RateLimitItemPerSecond:
    """A rate as the library has it."""
    return RateLimitItemPerSecond(rate.amount, rate.seconds)


def refusal(name: str, rate: Rate, windows: Windows) -> Refusal:
    """Refuse a request, and say when the next one will be within the limit."""
    # At that very moment it is one too many still.
    return Refusal(name, rate, math.floor(seconds_until_allowed(windows, rate)) + 1)
