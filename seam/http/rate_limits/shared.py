"""Limits that hold for all processes together, without a question to the store for each request.

A process takes an allowance for a key from the store, and spends it without asking again. As long
as a key asks often, the allowance grows to a twentieth of the limit; one that was not spent in time
is lost, and the next one is a single request again. So all processes together never allow more than
the limit, a key that asks seldom is counted exactly, and one that asks often costs the store a
twentieth of its requests at most. That a key is refused is remembered for a moment, so that a flood
does not reach the store at all.

While the store is away, each process counts alone.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

from limits import RateLimitItemPerSecond
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Refusal
from seam.http.rate_limits.local import LocalLimiter, refusal
from seam.http.rate_limits.postgres import AWAY, PostgresStorage
from seam.http.rate_limits.windows import Windows
from seam.outages import Outage

PART: Final = 20
"""The largest allowance is this part of the limit."""

MAXIMUM_ASKING: Final = 64
"""Keys that are asked for at a time. Beyond that, a process counts alone."""

REST: Final = 1.0
"""Seconds for which the store is not asked after it has failed, and a refusal is remembered."""

MAXIMUM_KEYS: Final = 100_000

FORGETTING_SECONDS: Final = 60.0
"""How often the store is rid of what matters no more."""


class Store:
    """The store, as all limits of a process see it."""

    def __init__(self, storage: PostgresStorage) -> None:
        """Ask `storage`."""
        self.storage = storage
        self.outage = Outage("the store of rate limits")
        self.asking = 0
        self._rests_until = 0.0

    @property
    def usable(self) -> bool:
        """Whether it can be asked now."""
        return self.asking < MAXIMUM_ASKING and monotonic() >= self._rests_until

    def failed(self, error: Exception) -> None:
        """Note that it has not answered."""
        self._rests_until = monotonic() + REST
        self.outage.failed(str(error) or type(error).__name__)


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Use the PostgreSQL that `url` names; it need not be there yet.

    What matters no more is deleted now and then.
    """
    storage = PostgresStorage(url)
    forgetting = asyncio.create_task(_forget(storage))
    try:
        yield Store(storage)
    finally:
        forgetting.cancel()
        with suppress(asyncio.CancelledError):
            await forgetting
        await storage.close()


async def _forget(storage: PostgresStorage) -> None:
    while True:
        await asyncio.sleep(FORGETTING_SECONDS)
        # That it is away is found out, and said, by requests.
        with suppress(*AWAY):
            await storage.forget_old()


class _Allowance:
    """What a process may still answer for a key before it has to ask again."""

    __slots__ = ("left", "refusal", "size", "until")

    def __init__(self, size: int, until: float, refusal: Refusal | None = None) -> None:
        self.size = size
        self.left = 0 if refusal else size
        self.until = until
        self.refusal = refusal


class SharedLimiter:
    """Counts together with other processes."""

    def __init__(self, name: str, rate: Rate, store: Store) -> None:
        """Count in `store`.

        Args:
            name: what the limit is called.
            rate: what it allows under each key.
            store: where all processes count.
        """
        self._name = name
        self._rate = rate
        self._item = RateLimitItemPerSecond(rate.amount, rate.seconds)
        self._store = store
        self._strategy = SlidingWindowCounterRateLimiter(store.storage)
        self._alone = LocalLimiter(name, rate)
        self._largest = max(1, rate.amount // PART)
        self._seconds = rate.seconds / PART
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Allowance | None]] = {}

    async def hit(self, key: str) -> Refusal | None:
        """Count a request; says why when it is one too many."""
        while True:
            held = self._allowances.get(key)
            if held is not None and monotonic() < held.until:
                if held.refusal is not None:
                    return held.refusal
                if held.left > 0:
                    held.left -= 1
                    return None
            asking = self._asking.get(key)
            if asking is None:
                if not self._store.usable:
                    return await self._alone.hit(key)
                asking = asyncio.create_task(self._ask(key, held))
                self._asking[key] = asking
                asking.add_done_callback(lambda _: self._asking.pop(key, None))
            # Whoever leaves meanwhile does not take the answer from the others.
            given = await asyncio.shield(asking)
            if given is None:
                return await self._alone.hit(key)
            if given.refusal is not None:
                return given.refusal
            if given.left > 0:
                given.left -= 1
                return None

    async def _ask(self, key: str, spent: _Allowance | None) -> _Allowance | None:
        """Take an allowance from the store; None when that is away."""
        store = self._store
        store.asking += 1
        try:
            given = await self._take(key, self._next_size(spent))
        except AWAY as error:
            store.failed(error)
            return None
        finally:
            store.asking -= 1
        store.outage.answered()
        self._allowances[key] = given
        self._allowances.move_to_end(key)
        if len(self._allowances) > MAXIMUM_KEYS:
            self._allowances.popitem(last=False)
        return given

    def _next_size(self, spent: _Allowance | None) -> int:
        if spent is None or spent.refusal is not None or spent.left > 0:
            return 1
        # It was spent; but a key that took long to do so asks seldom.
        return min(2 * spent.size, self._largest) if monotonic() < spent.until else 1

    async def _take(self, key: str, size: int) -> _Allowance:
        until = monotonic() + self._seconds
        for amount in sorted({size, 1}, reverse=True):
            if await self._strategy.hit(self._item, self._name, key, cost=amount):
                return _Allowance(amount, until)
        counted = await self._store.storage.get_sliding_window(
            self._item.key_for(self._name, key), self._rate.seconds
        )
        refused = refusal(self._name, self._rate, Windows(*counted[:3]))
        return _Allowance(1, monotonic() + min(REST, refused.seconds), refused)
