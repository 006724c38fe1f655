"""One event among thousands that its handler cannot deal with holds up its own key alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from contract.v1.money import Money

from seam.events import subscribe
from seam.events.lag import measure
from seam.events.policy import DEFAULT_POLICY
from seam.events.testing.paths import path
from seam.events.testing.shop import SOLD, databases, entries, note, sell
from seam.events.testing.waiting import until_noted
from seam.persistence import Transaction

KEYS = 400
EACH = 12
POISON = "key 7"


async def test_a_poison_event_among_thousands_holds_up_later_ones_of_its_key_until_it_succeeds(
    database_url: str, broker: str | None
) -> None:
    healed = asyncio.Event()

    async def handle(event: Money, transaction: Transaction) -> None:
        await note(event, transaction)
        if event.currency_code == POISON and event.minor_units == 3 and not healed.is_set():
            raise RuntimeError("poison")

    policy = replace(DEFAULT_POLICY, first_delay=0.05, delay_factor=1, attempts=1_000_000, poll=0.1)
    whole = {f"key {k}": list(range(EACH)) for k in range(KEYS)}
    async with databases(database_url) as (sales, ledger):
        async with path(sales, ledger, policy, broker=broker, subscription=subscribe(SOLD, handle)):
            await sell(sales, [(key, n) for n in range(EACH) for key in whole])
            noted = await until_noted(ledger, KEYS * EACH - (EACH - 3))
            assert noted == whole | {POISON: [0, 1, 2]}
            assert (await measure("ledger", ledger)).parked == EACH - 3
            healed.set()
            assert await until_noted(ledger, KEYS * EACH) == whole
        assert await entries(ledger) == whole
        assert (await measure("ledger", ledger)).parked == 0
