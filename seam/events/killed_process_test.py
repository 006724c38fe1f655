"""Processes that deliver are killed anywhere: all events arrive once, in order."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest

from seam.events.testing.selling import EACH, EXPECTED, KEYS, sell_all
from seam.events.testing.shop import databases
from seam.events.testing.waiting import until_noted
from seam.events.testing.workers import workers


@pytest.mark.parametrize("step", ["handler:100", "delivered:2"])
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
        assert await until_noted(ledger, KEYS * EACH) == EXPECTED


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
        assert await until_noted(ledger, KEYS * EACH) == EXPECTED
