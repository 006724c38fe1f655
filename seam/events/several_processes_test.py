"""Processes share the work, and freeze beyond their lease: all events arrive once, in order."""

from __future__ import annotations

import asyncio
import signal

from seam.events.testing.selling import EACH, EXPECTED, KEYS, sell_all
from seam.events.testing.shop import databases
from seam.events.testing.waiting import until_noted
from seam.events.testing.workers import workers


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
        assert await until_noted(ledger, KEYS * EACH) == EXPECTED
        assert all(process.returncode is None for process in (*frozen, *others))


async def test_replicas_share_the_work_and_keep_the_order(
    database_url: str, broker: str | None
) -> None:
    async with databases(database_url) as (sales, ledger), workers(database_url, broker) as those:
        await those.start()
        selling = asyncio.create_task(sell_all(sales))
        await those.start()
        await selling
        assert await until_noted(ledger, KEYS * EACH) == EXPECTED
