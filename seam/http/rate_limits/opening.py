"""Makes the limits that settings ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Limiter, Limiters
from seam.http.rate_limits.local import LocalLimiter
from seam.http.settings import HttpSettings


@asynccontextmanager
async def open_limiters(settings: HttpSettings) -> AsyncIterator[Limiters]:
    """Make the limits that `settings` ask for, and let go of their store at the end."""
    if settings.rate_limit_store is None:
        yield _limiters(settings, LocalLimiter)
        return
    # The library and the driver are loaded by processes that share a store.
    from seam.http.rate_limits.shared import SharedLimiter, open_store  # noqa: PLC0415

    async with open_store(settings.rate_limit_store) as store:
        yield _limiters(settings, lambda name, rate: SharedLimiter(name, rate, store))


def _limiters(settings: HttpSettings, make: Callable[[str, Rate], Limiter]) -> Limiters:
    by_address, by_principal = settings.rate_limit_by_address, settings.rate_limit_by_principal
    return Limiters(
        by_address=None if by_address is None else make("address", by_address),
        by_principal=None if by_principal is None else make("principal", by_principal),
    )
