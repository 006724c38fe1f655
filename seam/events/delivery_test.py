"""Order, exactly-once effect, poison, replay: on each path, over each kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from contract.v1.money import Money

from seam.events import subscribe
from seam.events.policy import DEFAULT_POLICY
from seam.events.testing.paths import path
from seam.events.testing.shop import SOLD, databases, entries, note, sell
from seam.persistence import Database, Transaction

QUICK = replace(DEFAULT_POLICY, first_delay=0.05, delay_factor=1.5, attempts=3, poll=0.1)


Noted = dict[str, list[int]]


async def until(ledger: Database, done: Callable[[Noted], bool]) -> Noted:
    async with asyncio.timeout(60):
        while True:
            noted = await entries(ledger)
            if done(noted):
                return noted
            await asyncio.sleep(0.02)


def count(noted: Noted) -> int:
    return sum(map(len, noted.values()))


async def test_events_arrive_once_each_and_in_order_for_each_key(
    database_url: str, broker: str | None
) -> None:
    async with databases(database_url) as (sales, ledger):
        async with path(sales, ledger, QUICK, broker=broker):
            for n in range(40):
                await sell(sales, [(f"key {k}", n) for k in range(25)])
            noted = await until(ledger, lambda noted: count(noted) >= 1000)
        assert noted == {f"key {k}": list(range(40)) for k in range(25)}


async def test_what_was_published_while_nobody_delivered_is_not_lost(
    database_url: str, broker: str | None
) -> None:
    async with databases(database_url) as (sales, ledger):
        await sell(sales, [("a", n) for n in range(1200)])
        async with path(sales, ledger, QUICK, broker=broker):
            noted = await until(ledger, lambda noted: count(noted) >= 1200)
        assert noted == {"a": list(range(1200))}


async def test_an_event_that_fails_holds_up_later_ones_of_its_key_alone(
    database_url: str, broker: str | None
) -> None:
    failures = 0

    async def fail_at_first(event: Money, transaction: Transaction) -> None:
        nonlocal failures
        await note(event, transaction)
        if event.currency_code == "poison" and event.minor_units == 0 and failures < 3:
            failures += 1
            raise RuntimeError("not yet")

    policy = replace(QUICK, attempts=5)
    async with databases(database_url) as (sales, ledger):
        async with path(
            sales, ledger, policy, broker=broker, subscription=subscribe(SOLD, fail_at_first)
        ):
            sold = [(key, n) for n in range(50) for key in ("poison", "good")]
            await sell(sales, sold)
            noted = await until(ledger, lambda noted: count(noted) >= 100)
        assert noted == {"poison": list(range(50)), "good": list(range(50))}
        assert failures == 3
