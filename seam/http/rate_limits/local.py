"""Limits that one process counts alone, in memory that is bounded whoever asks.

Two tables hold all there is: that of this window and that of the window before. When a window
ends, the older of them is dropped as a whole, so that nothing needs to be looked for and deleted. A
table that is full forgets some of those whom it saw first: a million addresses may cost a client
its count, and never the process its memory.

The rule is that of the library's sliding window counter, which takes ten times as long to follow it
as a small request can afford.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Refusal
from seam.http.rate_limits.windows import Windows, allows, seconds_until_allowed

MAXIMUM_KEYS: Final = 100_000
"""Keys in a table: about 20 MB, when all are taken."""

_FORGOTTEN: Final = 16
"""A table that is full forgets one in so many: to forget them one by one would take longer each."""


class LocalLimiter:
    """Counts in this process alone; see `Limiter`."""

    def __init__(
        self,
        name: str,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.time,
        maximum_keys: int = MAXIMUM_KEYS,
    ) -> None:
        """Begin without counts.

        Args:
            name: what the limit is called.
            rate: what it allows under each key.
            clock: gives seconds since some moment.
            maximum_keys: how many keys each window counts at most.
        """
        self._name = name
        self._rate = rate
        self._amount, self._seconds = rate
        self._clock = clock
        self._maximum_keys = maximum_keys
        self._number = 0
        self._begins = self._ends = 0
        self._current: dict[str, int] = {}
        self._previous: dict[str, int] = {}

    @property
    def keys(self) -> int:
        """How many keys this window counts."""
        return len(self._current)

    async def hit(self, key: str) -> Refusal | None:
        """See `Limiter`."""
        return self.count(key)

    def count(self, key: str) -> Refusal | None:
        """As `hit`, which waits for nothing here."""
        now = self._clock()
        if not self._begins <= now < self._ends:
            self._turn_to(int(now // self._seconds))
        current = self._current
        hits = current.get(key, 0)
        before = self._previous.get(key, 0) if self._previous else 0
        # Most are far from the limit, whatever the window before weighs by now.
        if hits + before >= self._amount:
            windows = Windows(before, self._ends - now, hits)
            if not allows(windows, self._rate, 1):
                return refusal(self._name, self._rate, windows)
        if hits == 0 and len(current) >= self._maximum_keys:
            self._forget_some()
        current[key] = hits + 1
        return None

    def _turn_to(self, number: int) -> None:
        # A clock that was set back begins anew.
        self._previous = self._current if number == self._number + 1 else {}
        self._current = {}
        self._number = number
        self._begins = number * self._seconds
        self._ends = self._begins + self._seconds

    def _forget_some(self) -> None:
        for key in list(islice(self._current, max(1, self._maximum_keys // _FORGOTTEN))):
            del self._current[key]


def refusal(name: str, rate: Rate, windows: Windows) -> Refusal:
    """Refuse a request, and say when the next one will be within the limit."""
    # At that very moment it is one too many still.
    return Refusal(name, rate, math.floor(seconds_until_allowed(windows, rate)) + 1)
