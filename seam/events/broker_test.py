"""A broker that is away, frozen, full, emptied or made anew: the outbox keeps what it must."""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, StreamConfig

from seam.events.broker import CONNECTION, connected
from seam.events.host import EventsError, delivering
from seam.events.policy import DEFAULT_POLICY
from seam.events.stream import stream_of
from seam.events.testing.paths import path
from seam.events.testing.shop import databases, entries, publisher, sell, subscriber
from seam.events.testing.waiting import until_delivered, until_noted
from seam.persistence import Database
from seam.testing.nats import NatsServer

QUICK = replace(DEFAULT_POLICY, poll=0.1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shop"


async def sell_slowly(sales: Database, count: int) -> None:
    for n in range(count):
        await sell(sales, [("a", n), ("b", n)])
        await asyncio.sleep(0.02)


def lines_about_the_broker(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message
        for record in caplog.records
        if record.levelno >= logging.WARNING and "the broker" in record.message
    ]


async def test_a_broker_that_is_away_at_the_start_holds_nothing_up_but_delivery(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    stoppable_nats.stop()
    async with (
        databases(url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=stoppable_nats.url),
    ):
        await sell(sales, [("a", n) for n in range(700)])
        await asyncio.sleep(1.0)
        assert await entries(ledger) == {}
        stoppable_nats.start()
        assert await until_noted(ledger, 700) == {"a": list(range(700))}
    lines = lines_about_the_broker(caplog)
    # The publisher's connection and the subscriber's say one line each when it goes, and one when
    # it is back.
    assert len(lines) == 4, lines


async def test_a_broker_that_is_killed_under_load_loses_nothing_and_keeps_the_order(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        databases(url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=stoppable_nats.url),
    ):
        selling = asyncio.create_task(sell_slowly(sales, 150))
        for _ in range(2):
            await asyncio.sleep(0.5)
            stoppable_nats.kill()
            await asyncio.sleep(0.5)
            stoppable_nats.start()
        await selling
        assert await until_noted(ledger, 300) == {"a": list(range(150)), "b": list(range(150))}
    # It was away twice, within the time in which one thing that comes and goes has one line; the
    # publisher's connection and the subscriber's say so each.
    lines = lines_about_the_broker(caplog)
    assert len(lines) <= 8, lines


async def test_a_broker_that_is_frozen_under_load_loses_nothing_and_keeps_the_order(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        databases(url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=stoppable_nats.url),
    ):
        selling = asyncio.create_task(sell_slowly(sales, 100))
        await asyncio.sleep(0.5)
        stoppable_nats.freeze()
        await asyncio.sleep(6)
        stoppable_nats.thaw()
        await selling
        assert await until_noted(ledger, 200) == {"a": list(range(100)), "b": list(range(100))}
    # The publisher's connection and the subscriber's say one line each when it goes, and one when
    # it is back.
    lines = lines_about_the_broker(caplog)
    assert len(lines) == 4, lines


async def test_a_stream_that_is_full_refuses_events_and_the_outbox_keeps_them(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await nats.connect(stoppable_nats.url)
    config = StreamConfig(
        name=stream_of("sales"),
        subjects=["events.sales.>"],
        max_bytes=40_000,
        discard=DiscardPolicy.NEW,
    )
    await client.jetstream().add_stream(config)
    async with (
        databases(url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=stoppable_nats.url),
    ):
        for n in range(100):
            await sell(sales, [(f"key {k}", n) for k in range(10)])
        await asyncio.sleep(1)
        noted = await entries(ledger)
        assert sum(map(len, noted.values())) < 1000
        await client.jetstream().update_stream(replace(config, max_bytes=10_000_000))
        await until_noted(ledger, 1000)
        assert await entries(ledger) == {f"key {k}": list(range(100)) for k in range(10)}
    assert any("maximum bytes exceeded" in line for line in lines_about_the_broker(caplog))
    await client.close()


async def test_services_that_are_merged_read_first_what_the_stream_still_holds(
    url: str, stoppable_nats: NatsServer
) -> None:
    async with databases(url) as (sales, ledger):
        # The publisher alone: the stream holds what nobody has read.
        async with (
            connected(stoppable_nats.url) as broker,
            delivering([publisher(sales)], broker, QUICK),
        ):
            await sell(sales, [("a", n) for n in range(100)])
            await until_delivered(sales)
        await sell(sales, [("a", n) for n in range(100, 200)])
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url, together=True):
            await sell(sales, [("a", n) for n in range(200, 300)])
            await until_noted(ledger, 300)
            # In the process now, which needs no broker.
            stoppable_nats.kill()
            await sell(sales, [("a", n) for n in range(300, 400)])
            await until_noted(ledger, 400)
            stoppable_nats.start()
            await asyncio.sleep(0.5)
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            await sell(sales, [("a", n) for n in range(400, 500)])
            assert await until_noted(ledger, 500) == {"a": list(range(500))}


async def test_services_that_leave_a_broker_are_warned_once_and_lose_nothing_if_they_come_back(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    def warnings() -> int:
        return sum("the topology names none now" in each.message for each in caplog.records)

    async with databases(url) as (sales, ledger):
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            await sell(sales, [("a", n) for n in range(10)])
            await until_noted(ledger, 10)
        async with (
            connected(stoppable_nats.url) as broker,
            delivering([publisher(sales)], broker, QUICK),
        ):
            await sell(sales, [("b", n) for n in range(10)])
            await until_delivered(sales)
        for n in range(2):
            async with path(sales, ledger, QUICK):
                await sell(sales, [("c", n)])
                await until_noted(ledger, 11 + n)
                async with asyncio.timeout(30):
                    while not warnings():  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
        assert await entries(ledger) == {"a": list(range(10)), "c": [0, 1]}
        assert warnings() == 1
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url, together=True):
            noted = await until_noted(ledger, 22)
    assert noted == {"a": list(range(10)), "b": list(range(10)), "c": [0, 1]}


async def test_a_stream_that_was_made_anew_is_read_from_its_beginning_and_the_log_says_so(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with databases(url) as (sales, ledger):
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            await sell(sales, [("a", n) for n in range(10)])
            await until_noted(ledger, 10)
        client = await nats.connect(stoppable_nats.url)
        await client.jetstream().delete_stream(stream_of("sales"))
        await client.close()
        # The new one is longer than the old one was before anybody reads it.
        async with (
            connected(stoppable_nats.url) as broker,
            delivering([publisher(sales)], broker, QUICK),
        ):
            for n in range(10, 25):
                await sell(sales, [("a", n)])
                await until_delivered(sales)
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            assert await until_noted(ledger, 25) == {"a": list(range(25))}
    assert any("it was made anew" in record.message for record in caplog.records)


async def test_events_that_a_stream_has_dropped_before_they_were_read_are_told_of(
    url: str, stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with databases(url) as (sales, ledger):
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            await sell(sales, [("a", n) for n in range(10)])
            await until_noted(ledger, 10)
        async with (
            connected(stoppable_nats.url) as broker,
            delivering([publisher(sales)], broker, QUICK),
        ):
            for n in range(10, 20):
                await sell(sales, [("a", n)])
                await until_delivered(sales)
            # Ten are one message, and then there are ten more.
            jetstream = broker.client.jetstream()
            first = (await jetstream.stream_info(stream_of("sales"))).state.first_seq
            await jetstream.purge_stream(stream_of("sales"), seq=first + 6)
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            noted = await until_noted(ledger, 15)
        assert noted == {"a": [*range(10), *range(15, 20)]}
    assert any("has dropped what was between them" in each.message for each in caplog.records)


async def test_a_subscription_to_another_process_without_a_broker_is_refused(url: str) -> None:
    async with databases(url) as (_, ledger):
        with pytest.raises(EventsError, match=r"'ledger' subscribes to sales\.v1\.Sold"):
            async with delivering([subscriber(ledger)]):
                pass


def test_the_options_that_hold_the_connection_exist() -> None:
    assert CONNECTION.keys() <= inspect.signature(Client.connect).parameters.keys()
