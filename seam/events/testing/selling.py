"""What tests of delivering processes sell and expect."""

from __future__ import annotations

import asyncio
from typing import Final

from seam.contract import StatusError
from seam.events.testing.shop import sell
from seam.persistence import Database

KEYS: Final = 12
EACH: Final = 60
EXPECTED: Final = {f"key {k}": list(range(EACH)) for k in range(KEYS)}


async def sell_all(sales: Database) -> None:
    """Publish all that is expected, in many transactions."""
    for n in range(EACH):
        while True:
            try:
                await sell(sales, [(f"key {k}", n) for k in range(KEYS)])
                break
            except StatusError:
                # One that is frozen may hold the lock of an embedded database.
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.01)
