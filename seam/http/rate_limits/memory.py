"""Counts in the memory of one process, which is bounded whoever asks.

Two tables hold all there is: that of this window and that of the window before. When a window
ends, the older of them is dropped as a whole, so that nothing needs to be looked for and deleted. A
table that is full forgets whom it saw first: a million addresses may cost a client its count, and
never the process its memory.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport

from seam.http.rate import Rate
from seam.http.rate_limits.windows import Windows, allows

MAXIMUM_KEYS: Final = 100_000
"""Keys in a table: about 20 MB, when all are taken."""


class MemoryStorage(Storage, SlidingWindowCounterSupport):
    """A storage of `limits` that counts by sliding windows, and by nothing else."""

    STORAGE_SCHEME = None

    def __init__(
        self, clock: Callable[[], float] = time.time, maximum_keys: int = MAXIMUM_KEYS
    ) -> None:
        """Begin without counts.

        Args:
            clock: gives seconds since some moment.
            maximum_keys: how many keys each window counts at most.
        """
        super().__init__()
        self._clock = clock
        self._maximum_keys = maximum_keys
        self._tables: dict[int, _Tables] = {}

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Nothing that is counted in memory fails."""
        return ()

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` more under a key, unless the limit is in the way."""
        tables, windows = self._windows(key, expiry)
        if not allows(windows, Rate(limit, expiry), amount):
            return False
        current = tables.current
        if windows.current == 0 and len(current) >= self._maximum_keys:
            current.popitem(last=False)
        current[key] = windows.current + amount
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Both counts of a key, each with the seconds for which it still matters."""
        _, (previous, seconds, current) = self._windows(key, expiry)
        return previous, seconds, current, seconds + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget the counts of a key."""
        tables, _ = self._windows(key, expiry)
        tables.current.pop(key, None)
        tables.previous.pop(key, None)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Fixed windows are not counted."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Fixed windows are not counted."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Fixed windows are not counted."""
        raise NotImplementedError

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget everything; gives how many keys there were."""
        keys = sum(len(each.current) + len(each.previous) for each in self._tables.values())
        self._tables.clear()
        return keys

    def clear(self, key: str) -> None:
        """Fixed windows are not counted."""
        raise NotImplementedError

    def _windows(self, key: str, expiry: int) -> tuple[_Tables, Windows]:
        number, into = divmod(self._clock(), expiry)
        tables = self._tables.get(expiry)
        if tables is None:
            tables = self._tables[expiry] = _Tables()
        tables.turn_to(int(number))
        windows = Windows(tables.previous.get(key, 0), expiry - into, tables.current.get(key, 0))
        return tables, windows


class _Tables:
    """The counts of all limits of one length."""

    def __init__(self) -> None:
        self.number = 0
        self.current: OrderedDict[str, int] = OrderedDict()
        self.previous: OrderedDict[str, int] = OrderedDict()

    def turn_to(self, number: int) -> None:
        if number == self.number:
            return
        # A clock that was set back begins anew.
        self.previous = self.current if number == self.number + 1 else OrderedDict()
        self.current = OrderedDict()
        self.number = number
