"""The relay takes no more than it should at once, and looks at what others have published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from contract.v1.money import Money

from seam.events import publish
from seam.events.ending import end_all
from seam.events.event import Event, new_id, partition_of
from seam.events.policy import DEFAULT_POLICY
from seam.events.publishing import MAXIMUM_DATA_BYTES
from seam.events.relay import LARGE_BATCH_BYTES, Relay, Stage
from seam.events.statements import statements_of
from seam.events.testing.shop import SOLD, databases, sell
from seam.outages import Outage

PARTITION = partition_of("a")


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each) for each in (relay.run(), relay.hold(PARTITION))]
    try:
        yield
    finally:
        await end_all(tasks)


async def batches(url: str, size: int, count: int) -> list[int]:
    """How many events of `size` bytes the relay reads at once."""
    seen: list[int] = []
    done = asyncio.Event()

    async def deliver(events: Sequence[Event]) -> Sequence[Event]:
        seen.append(len(events))
        if sum(seen) == count:
            done.set()
        return events

    outbox = statements_of("sales").outbox
    async with databases(url) as (sales, _):
        row = {"partition": PARTITION, "delivered": False, "type": SOLD.type, "key": "a"}
        rows = [
            {**row, "id": new_id(n), "time": n, "traceparent": "", "data": bytes(size)}
            for n in range(count)
        ]
        await sales.execute_many(outbox.add, rows)
        stage = Stage(
            database=sales,
            read=outbox.read,
            done=outbox.remove,
            deliver=deliver,
            outage=Outage("delivery"),
            batch=64,
        )
        async with relaying(Relay("sales", [stage], DEFAULT_POLICY)), asyncio.timeout(60):
            await done.wait()
    return seen


async def test_large_events_are_read_a_few_at_a_time(database_url: str) -> None:
    size = MAXIMUM_DATA_BYTES
    seen = await batches(database_url, size, 300)
    # The first batch shows how large they are.
    assert max(seen[3:]) * size <= 2 * LARGE_BATCH_BYTES
    assert seen[0] == 64


async def test_small_events_are_read_by_the_batch(database_url: str) -> None:
    assert await batches(database_url, 10, 200) == [64, 64, 64, 8]


async def test_events_that_another_process_has_published_are_found(database_url: str) -> None:
    found = asyncio.Event()

    async def deliver(events: Sequence[Event]) -> Sequence[Event]:
        found.set()
        return events

    outbox = statements_of("sales").outbox
    async with databases(database_url) as (sales, _), databases(database_url) as (other, _):
        stage = Stage(
            database=sales,
            read=outbox.read,
            done=outbox.remove,
            deliver=deliver,
            outage=Outage("delivery"),
            batch=64,
        )
        policy = replace(DEFAULT_POLICY, poll=0.1)
        async with relaying(Relay("another name", [stage], policy)), asyncio.timeout(30):
            await asyncio.sleep(0.3)
            await sell(other, [("a", 1)])
            await found.wait()


async def test_what_a_transaction_has_published_that_is_undone_is_never_seen(
    database_url: str,
) -> None:
    outbox = statements_of("sales").outbox
    async with databases(database_url) as (sales, _):
        try:
            async with sales.transaction() as transaction:
                await publish(transaction, SOLD, Money(currency_code="a", minor_units=1))
                raise LookupError
        except LookupError:
            pass
        assert await sales.fetch_all(outbox.read, partitions=[PARTITION], limit=10) == []
