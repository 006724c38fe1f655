"""Makes the limits that settings ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Limiter, Limiters
from seam.http.rate_limits.local import LocalLimiter
from seam.http.rate_limits.memory import MemoryStorage
from seam.http.rate_limits.postgres import AWAY, PostgresStorage
from seam.http.rate_limits.shared import SharedLimiter, Store
from seam.http.settings import HttpSettings

_Make = Callable[[str, Rate | None], Limiter | None]

FORGETTING_SECONDS: Final = 60.0
"""How often the store is rid of what matters no more."""


@asynccontextmanager
async def open_limiters(settings: HttpSettings) -> AsyncIterator[Limiters]:
    """Make the limits that `settings` ask for, and let go of their store at the end."""
    memory = MemoryStorage()
    if settings.rate_limit_store is None:

        def local(name: str, rate: Rate | None) -> Limiter | None:
            return None if rate is None else LocalLimiter(name, rate, memory)

        yield _limiters(settings, local)
        return
    storage = PostgresStorage(settings.rate_limit_store)
    store = Store(storage)

    def shared(name: str, rate: Rate | None) -> Limiter | None:
        return None if rate is None else SharedLimiter(name, rate, store, memory)

    forgetting = asyncio.create_task(_forget(storage))
    try:
        yield _limiters(settings, shared)
    finally:
        forgetting.cancel()
        with suppress(asyncio.CancelledError):
            await forgetting
        await storage.close()


def _limiters(settings: HttpSettings, make: _Make) -> Limiters:
    return Limiters(
        by_address=make("address", settings.rate_limit_by_address),
        by_principal=make("principal", settings.rate_limit_by_principal),
    )


async def _forget(storage: PostgresStorage) -> None:
    while True:
        await asyncio.sleep(FORGETTING_SECONDS)
        # That it is away is found out, and said, by requests.
        with suppress(*AWAY):
            await storage.forget_old()
