"""Counts in the memory of one process, which is bounded whoever asks.

Two tables hold all there is: that of this window and that of the window before. When a window
ends, the older of them is dropped as a whole, so that nothing needs to be looked for and deleted. A
table that is full forgets whom it saw first: a million addresses may cost a client its count, and
never the process its memory.

The rule is that of the library's sliding window counter, which takes ten times as long to follow it
as a small request can afford.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from seam.http.rate import Rate
from seam.http.rate_limits.windows import Windows

MAXIMUM_KEYS: Final = 100_000
"""Keys in a table: about 20 MB, when all are taken."""


class MemoryCounter:
    """Counts what happens under keys, and says when it is more than a rate allows."""

    def __init__(
        self,
        rate: Rate,
        clock: Callable[[], float] = time.time,
        maximum_keys: int = MAXIMUM_KEYS,
    ) -> None:
        """Begin without counts.

        Args:
            rate: what is allowed under each key.
            clock: gives seconds since some moment.
            maximum_keys: how many keys each window counts at most.
        """
        self._amount, self._seconds = rate
        self._clock = clock
        self._maximum_keys = maximum_keys
        self._number = 0
        self._begins = self._ends = 0
        self._current: OrderedDict[str, int] = OrderedDict()
        self._previous: OrderedDict[str, int] = OrderedDict()

    @property
    def keys(self) -> int:
        """How many keys this window counts."""
        return len(self._current)

    def count(self, key: str) -> Windows | None:
        """Count one more under a key; gives what is counted when it is one too many."""
        now = self._clock()
        if not self._begins <= now < self._ends:
            self._turn_to(int(now // self._seconds))
        weighed = hits = self._current.get(key, 0)
        before = self._previous.get(key, 0)
        if before:
            weighed += math.floor(before * (self._ends - now) / self._seconds)
        if weighed >= self._amount:
            return Windows(before, self._ends - now, hits)
        if hits == 0 and len(self._current) >= self._maximum_keys:
            self._current.popitem(last=False)
        self._current[key] = hits + 1
        return None

    def _turn_to(self, number: int) -> None:
        # A clock that was set back begins anew.
        self._previous = self._current if number == self._number + 1 else OrderedDict()
        self._current = OrderedDict()
        self._number = number
        self._begins = number * self._seconds
        self._ends = self._begins + self._seconds
