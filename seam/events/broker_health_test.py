"""What `/readyz` says of a broker follows what the broker does, in processes of every kind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from seam.events.broker import Broker, connected
from seam.events.host import Participant, delivering
from seam.events.policy import DEFAULT_POLICY
from seam.events.stream import Stream
from seam.events.testing.shop import databases, publisher, sell, subscriber
from seam.events.testing.waiting import until_noted
from seam.testing.nats import NatsServer

QUICK = replace(DEFAULT_POLICY, poll=0.1)


async def until(broker: Broker, *, away: bool) -> None:
    async with asyncio.timeout(30):
        while (broker.problem is not None) is not away:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("role", ["publisher", "subscriber"])
async def test_a_broker_that_was_frozen_and_never_disconnected_counts_as_there_again(
    role: str, tmp_path: Path, stoppable_nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without pings the connection survives, and only answers tell that the broker is back.
    monkeypatch.setattr(
        "seam.events.broker.CONNECTION",
        {"allow_reconnect": True, "max_reconnect_attempts": -1, "ping_interval": 120},
    )
    async with (
        databases(f"sqlite:///{tmp_path}/shop") as (sales, ledger),
        connected(stoppable_nats.url) as broker,
    ):
        participants: dict[str, Participant] = {
            "publisher": publisher(sales),
            "subscriber": subscriber(ledger),
        }
        async with delivering([participants[role]], broker, QUICK):
            await until(broker, away=False)
            await sell(sales, [("a", 1)])
            await asyncio.sleep(1)
            stoppable_nats.freeze()
            await sell(sales, [("a", 2)])
            await until(broker, away=True)
            stoppable_nats.thaw()
            await until(broker, away=False)


async def test_a_broker_with_a_full_store_is_named_by_publishers_and_not_by_readers(
    tmp_path: Path, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        databases(f"sqlite:///{tmp_path}/shop") as (sales, ledger),
        connected(stoppable_nats.url) as writing,
        connected(stoppable_nats.url) as reading,
        delivering([publisher(sales)], writing, QUICK),
        delivering([subscriber(ledger)], reading, QUICK),
    ):
        await until(writing, away=False)
        stream = Stream(writing, "sales")
        config = (await stream.info()).config
        streams = writing.client.jetstream()
        await streams.update_stream(replace(config, max_bytes=1))
        await sell(sales, [("a", n) for n in range(5)])
        await until(writing, away=True)
        # It refuses time and again, and it answers whoever asks about its streams.
        for _ in range(20):
            await asyncio.sleep(0.1)
            await stream.info()
            assert writing.problem == "refuses what is published"
        assert reading.problem is None
        await streams.update_stream(replace(config, max_bytes=-1))
        await until(writing, away=False)
        assert await until_noted(ledger, 5) == {"a": list(range(5))}
    told = [each.message for each in caplog.records if "for those of sales," in each.message]
    assert len(told) == 2, told
