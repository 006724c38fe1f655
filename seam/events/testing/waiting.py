"""Waits until events have gone where a test expects them."""

from __future__ import annotations

import asyncio

from seam.events.dead_letters import DeadLetters
from seam.events.event import PARTITIONS
from seam.events.statements import Parked, statements_of
from seam.events.testing.shop import entries
from seam.persistence import Database

PATIENCE = 60.0
"""Seconds that events have to arrive, on a machine that is busy with other tests."""


async def until_noted(ledger: Database, count: int) -> dict[str, list[int]]:
    """What was noted by key, once there are `count` entries."""
    async with asyncio.timeout(PATIENCE):
        while True:
            noted = await entries(ledger)
            if sum(map(len, noted.values())) >= count:
                return noted
            await asyncio.sleep(0.02)


async def until_dead(ledger: Database, count: int) -> list[Parked]:
    """The dead letters of the subscriber, once there are `count`."""
    async with asyncio.timeout(PATIENCE):
        while True:
            dead = await DeadLetters("ledger", ledger).page(0, 1000)
            if len(dead) >= count:
                return dead
            await asyncio.sleep(0.02)


async def until_marked(sales: Database) -> None:
    """Wait until all that is in the outbox is marked as delivered in the publisher's process."""
    undelivered = statements_of("sales").outbox.read_undelivered
    async with asyncio.timeout(PATIENCE):
        while True:
            if not await sales.fetch_all(undelivered, partitions=[*range(PARTITIONS)], limit=1):
                return
            await asyncio.sleep(0.02)


async def until_delivered(sales: Database) -> None:
    """Wait until the outbox is empty, somewhat after the subscriber has noted the last event."""
    oldest = statements_of("sales").outbox.oldest
    async with asyncio.timeout(PATIENCE):
        while True:
            if await sales.fetch_one(oldest) is None:
                return
            await asyncio.sleep(0.02)
