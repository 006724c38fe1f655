"""Another process takes over an outbox, with other subscribers: none of them loses an event."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from seam.events.policy import DEFAULT_POLICY
from seam.events.testing.hosting import hosting
from seam.events.testing.shop import databases, entries, publisher, sell, subscriber
from seam.events.testing.waiting import until_delivered, until_marked, until_noted
from seam.testing.nats import NatsServer

QUICK = replace(DEFAULT_POLICY, poll=0.1, lease=1.5)
KEYS = [f"key {k}" for k in range(12)]
"""Of several partitions."""


@pytest.mark.parametrize("broker_after", [True, False], ids=["with a broker", "in the process"])
async def test_a_subscriber_that_moves_in_gets_what_others_had_and_no_stream_holds(
    database_url: str, tmp_path: Path, stoppable_nats: NatsServer, *, broker_after: bool
) -> None:
    url = stoppable_nats.url
    async with (
        databases(database_url) as (sales, before),
        databases(f"sqlite:///{tmp_path}/later") as (_, later),
    ):
        async with hosting(publisher(sales), subscriber(before), broker=url, policy=QUICK):
            await sell(sales, [(key, 0) for key in KEYS])
            await until_noted(before, len(KEYS))
            await until_delivered(sales)
            # The subscriber of the same process has what comes now, and the stream does not.
            stoppable_nats.kill()
            await sell(sales, [(key, n) for n in range(1, 6) for key in KEYS])
            await until_noted(before, 6 * len(KEYS))
            await until_marked(sales)
        stoppable_nats.start()
        first = 0 if broker_after else 1
        async with hosting(
            publisher(sales),
            subscriber(later),
            broker=url if broker_after else None,
            policy=QUICK,
        ):
            await sell(sales, [(key, n) for n in range(6, 8) for key in KEYS])
            noted = await until_noted(later, (8 - first) * len(KEYS))
            await until_delivered(sales)
        assert noted == {key: list(range(first, 8)) for key in KEYS}
        assert await entries(later) == noted
        if not broker_after:
            return
        # Who had it before reads the stream now, in which all of it comes again.
        async with hosting(subscriber(before), broker=url, policy=QUICK):
            assert await until_noted(before, 8 * len(KEYS)) == noted
        assert await entries(before) == noted


async def test_a_subscriber_beside_a_publisher_gets_what_other_processes_publish_for_it(
    tmp_path: Path, stoppable_nats: NatsServer
) -> None:
    """While services move, one process has the publisher alone and another has a subscriber too."""
    url = f"sqlite:///{tmp_path}/shop"
    async with (
        databases(url) as (sales, ledger),
        hosting(publisher(sales), broker=stoppable_nats.url, policy=QUICK),
    ):
        await sell(sales, [(key, 0) for key in KEYS])
        await until_delivered(sales)
        async with hosting(
            publisher(sales), subscriber(ledger), broker=stoppable_nats.url, policy=QUICK
        ):
            for n in range(1, 20):
                await sell(sales, [(key, n) for key in KEYS])
                # Meanwhile the first gives half of the partitions to the second.
                await asyncio.sleep(0.1)
            noted = await until_noted(ledger, 20 * len(KEYS))
            assert noted == {key: list(range(20)) for key in KEYS}
        assert await entries(ledger) == noted
