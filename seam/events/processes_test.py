"""Processes that deliver are killed, frozen and doubled: all events arrive once, in order."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest

from seam.contract import StatusError
from seam.events.testing.shop import databases, entries, sell
from seam.events.testing.workers import workers
from seam.persistence import Database

KEYS = 12
EACH = 60
EXPECTED = {f"key {k}": list(range(EACH)) for k in range(KEYS)}


async def sell_all(sales: Database) -> None:
    for n in range(EACH):
        while True:
            try:
                await sell(sales, [(f"key {k}", n) for k in range(KEYS)])
                break
            except StatusError:
                # One that is frozen may hold the lock of an embedded database.
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.01)


async def all_noted(ledger: Database) -> dict[str, list[int]]:
    noted: dict[str, list[int]] = {}
    async with asyncio.timeout(60):
        while sum(map(len, noted.values())) < KEYS * EACH:
            await asyncio.sleep(0.05)
            noted = await entries(ledger)
    return noted


@pytest.mark.parametrize("step", ["handler:100", "delivered:1", "delivered:3"])
async def test_a_process_that_is_killed_at_a_step_loses_and_doubles_nothing(
    database_url: str, broker: str | None, step: str
) -> None:
    async with databases(database_url) as (sales, ledger), workers(database_url, broker) as those:
        selling = asyncio.create_task(sell_all(sales))
        started = await those.start(step)
        # In processes of their own, the publisher has no handlers and the subscriber no outbox.
        reaching = started[-1] if step.startswith("handler") else started[0]
        async with asyncio.timeout(60):
            assert await reaching.wait() == -signal.SIGKILL
        await selling
        await those.start()
        assert await all_noted(ledger) == EXPECTED


async def test_processes_that_are_killed_at_random_lose_and_double_nothing(
    database_url: str, broker: str | None
) -> None:
    random_of_test = random.Random(7)
    async with databases(database_url) as (sales, ledger), workers(database_url, broker) as those:
        selling = asyncio.create_task(sell_all(sales))
        for _ in range(3):
            started = await those.start()
            await asyncio.sleep(random_of_test.uniform(0.05, 0.5))
            for process in started:
                process.send_signal(signal.SIGKILL)
        await selling
        await those.start()
        assert await all_noted(ledger) == EXPECTED


async def test_processes_that_were_frozen_beyond_their_lease_do_no_harm_when_they_wake_up(
    database_url: str, broker: str | None
) -> None:
    async with databases(database_url) as (sales, ledger), workers(database_url, broker) as those:
        selling = asyncio.create_task(sell_all(sales))
        frozen = await those.start()
        await asyncio.sleep(0.2)
        for process in frozen:
            process.send_signal(signal.SIGSTOP)
        # An embedded database whose writer is frozen is locked for all others.
        others = [] if database_url.startswith("sqlite") else await those.start()
        await asyncio.sleep(3)
        for process in frozen:
            process.send_signal(signal.SIGCONT)
        others = others or await those.start()
        await selling
        assert await all_noted(ledger) == EXPECTED
        assert all(process.returncode is None for process in (*frozen, *others))


async def test_replicas_share_the_work_and_keep_the_order(
    database_url: str, broker: str | None
) -> None:
    async with databases(database_url) as (sales, ledger), workers(database_url, broker) as those:
        await those.start()
        selling = asyncio.create_task(sell_all(sales))
        await those.start()
        await selling
        assert await all_noted(ledger) == EXPECTED
