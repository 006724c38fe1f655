"""Keeps one busy service from taking everything.

A service answers so many calls at a time; further ones wait in a queue, in their order and for no
longer than their deadline; when the queue is full as well, a call is refused with
RESOURCE_EXHAUSTED. The bounds are the service's own, so others go on as if nothing happened.

A caller that is refused and calls again at once would cost the others more than a call that is
answered. Refusals therefore have a pace: the first is given at once, and of many that are due one
each millisecond, so that who insists waits, and costs next to nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Final

from seam.contract.errors import Code, StatusError


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a service takes on.

    Attributes:
        concurrent: calls that are answered at a time; a stream counts while it lasts.
        queued: calls that wait for one of them to end.
    """

    concurrent: int = 256
    queued: int = 1024


REFUSAL_INTERVAL: Final = 0.001
"""Seconds between two refusals."""

LONGEST_REFUSAL: Final = 1.0
"""Seconds that a refusal is held back at most."""

DEFAULT_LIMITS: Final = Limits()


class Bulkhead:
    """The calls that one service answers now."""

    __slots__ = ("_limits", "_name", "_next_refusal", "free", "waiting")

    def __init__(self, name: str, limits: Limits = DEFAULT_LIMITS) -> None:
        """Make a bulkhead.

        Args:
            name: the service's name, for errors.
            limits: how much it takes on.
        """
        self._name = name
        self._limits = limits
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.free = limits.concurrent
        self._next_refusal = 0.0

    async def wait(self) -> None:
        """Wait for a place, because none is `free`.

        Raises:
            StatusError: RESOURCE_EXHAUSTED, because the queue is full.
        """
        if len(self.waiting) >= self._limits.queued:
            await self._hold_back()
            raise StatusError(
                Code.RESOURCE_EXHAUSTED,
                f"{self._name} answers {self._limits.concurrent} calls and "
                f"{self._limits.queued} more are waiting",
            )
        place = asyncio.get_running_loop().create_future()
        self.waiting.append(place)
        try:
            await place
        except BaseException:
            # Cancelled, or closed while it waited.
            if place.done() and not place.cancelled():
                # The place was given at the very moment in which its owner left.
                self.leave()
            elif place in self.waiting:
                # `leave` takes those who are about to go out of the queue as well.
                self.waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place to the call that waits longest, or keep it free."""
        while self.waiting:
            place = self.waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.free += 1

    async def _hold_back(self) -> None:
        """Wait until the next refusal is due."""
        now = monotonic()
        due = self._next_refusal = max(now, self._next_refusal + REFUSAL_INTERVAL)
        if due > now:
            self._next_refusal = min(due, now + LONGEST_REFUSAL)
            await asyncio.sleep(self._next_refusal - now)
