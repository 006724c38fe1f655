"""Streams hold events more than once, cut anew, late, and as older versions wrote them."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from contract.v1.money import Money
from nats.aio.client import Client

from seam.events.broker import connected
from seam.events.cloudevents import batch_subject_of, messages_of, subject_of
from seam.events.event import Event, new_id, partition_of
from seam.events.host import delivering
from seam.events.policy import DEFAULT_POLICY
from seam.events.stream import Stream, stream_of
from seam.events.testing.paths import path
from seam.events.testing.shop import SOLD, databases, entries, sell, subscriber
from seam.events.testing.waiting import until_delivered, until_noted
from seam.persistence import Database
from seam.testing.nats import NatsServer

QUICK = replace(DEFAULT_POLICY, poll=0.1)
PARTITION = partition_of("a")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shop"


@pytest.fixture
async def client(stoppable_nats: NatsServer) -> AsyncIterator[Client]:
    connection = await nats.connect(stoppable_nats.url)
    yield connection
    await connection.close()


def sold(number: int, text: str = "a") -> Event:
    data = SOLD.codec.encode(Money(currency_code=text, minor_units=number))
    time = 1_700_000_000_000_000 + number
    return Event(0, new_id(time), SOLD.type, "a", time, "", data)


@asynccontextmanager
async def reading(ledger: Database, url: str) -> AsyncIterator[Stream]:
    """Let the ledger hear; gives the stream that it reads, which is there."""
    async with connected(url) as broker:
        async with asyncio.timeout(30):
            while not broker.client.is_connected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stream = Stream(broker, "sales")
        await stream.info()
        async with delivering([subscriber(ledger)], broker, QUICK):
            yield stream


async def write_as_before(client: Client, events: Sequence[Event]) -> None:
    """Write events as the version before this one did: an atomic batch of single messages."""
    batch = secrets.token_hex(16)
    for number, event in enumerate(events, start=1):
        ((subject, headers, data),) = messages_of("sales", PARTITION, [event])
        if len(events) == 1:
            await client.jetstream().publish(subject, data, headers=headers)
            return
        headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number < len(events):
            await client.publish(subject, data, headers=headers)
        else:
            headers["Nats-Batch-Commit"] = "1"
            answer = await client.request(subject, data, headers=headers)
            assert b'"error"' not in answer.data, answer.data


async def test_what_the_version_before_has_written_is_read_among_what_this_one_writes(
    url: str, stoppable_nats: NatsServer, client: Client
) -> None:
    events = [sold(n) for n in range(24)]
    async with databases(url) as (_, ledger), reading(ledger, stoppable_nats.url) as stream:
        config = (await stream.info()).config
        await client.jetstream().update_stream(replace(config, allow_atomic=True))
        await write_as_before(client, events[0:1])
        await write_as_before(client, events[1:8])
        await stream.publish(PARTITION, events[8:12])
        await write_as_before(client, events[12:16])
        await stream.publish(PARTITION, events[16:18])
        # Some are written by both versions while they ran side by side.
        await write_as_before(client, events[16:20])
        await stream.publish(PARTITION, events[18:24])
        assert await until_noted(ledger, 24) == {"a": list(range(24))}
        subjects = (await client.jetstream().stream_info(stream_of("sales"), ">")).state.subjects
    assert subjects == {
        subject_of(SOLD.type, PARTITION): 16,
        batch_subject_of("sales", PARTITION): 3,
    }


@pytest.mark.parametrize("seed", range(4))
async def test_events_that_are_sent_again_in_other_messages_have_one_effect_in_order(
    url: str, stoppable_nats: NatsServer, seed: int
) -> None:
    """Relays end after writing and before deleting, and wake up with what others have written."""
    chance = random.Random(seed)
    events = [sold(n) for n in range(300)]
    outbox, late = list(events), list[list[Event]]()
    async with databases(url) as (_, ledger):
        while outbox:
            # Now and then the reader ends as well, and begins again where its cursor is.
            async with reading(ledger, stoppable_nats.url) as stream:
                for _ in range(chance.randrange(1, 12)):
                    written = outbox[: chance.randrange(1, 40)]
                    await stream.publish(PARTITION, written)
                    if chance.random() < 0.3:
                        late.append(written)
                    if late and chance.random() < 0.3:
                        await stream.publish(PARTITION, late.pop(0))
                    # What is not deleted is written again, with what came since.
                    if chance.random() < 0.6:
                        del outbox[: len(written)]
        async with reading(ledger, stoppable_nats.url):
            assert await until_noted(ledger, 300) == {"a": list(range(300))}


async def test_a_message_that_is_cut_otherwise_is_not_taken_for_the_one_before(
    url: str, stoppable_nats: NatsServer
) -> None:
    events = [sold(n) for n in range(6)]
    async with databases(url) as (_, ledger), reading(ledger, stoppable_nats.url) as stream:
        first = await stream.publish(PARTITION, events[:3])
        assert await stream.publish(PARTITION, events[:3]) == first
        # Both begin with the event that the broker has had, and one ends with the same as well.
        await stream.publish(PARTITION, [events[0], events[1], events[3]])
        assert await stream.publish(PARTITION, events) > first
        noted = await until_noted(ledger, 6)
    assert sorted(noted["a"]) == list(range(6))


async def test_a_message_that_is_damaged_holds_nothing_up(
    url: str, stoppable_nats: NatsServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with databases(url) as (_, ledger), reading(ledger, stoppable_nats.url) as stream:
        await stream.publish(PARTITION, [sold(0), sold(1)])
        ((subject, headers, data),) = messages_of("sales", PARTITION, [sold(2), sold(3)])
        headers["Nats-Msg-Id"] = "damaged"
        await client.jetstream().publish(subject, data[:-20], headers=headers)
        await client.jetstream().publish(subject, b"", headers={"other": "one"})
        await stream.publish(PARTITION, [sold(4), sold(5)])
        assert await until_noted(ledger, 4) == {"a": [0, 1, 4, 5]}
    told = [each.message for each in caplog.records if "is no event" in each.message]
    assert len(told) == 2, told


async def test_more_than_one_answer_holds_is_read_in_several(
    url: str, stoppable_nats: NatsServer
) -> None:
    # Twelve answers of the broker, at least.
    text = "x" * 60_000
    events = [sold(n, text) for n in range(150)]
    async with databases(url) as (_, ledger), reading(ledger, stoppable_nats.url) as stream:
        await stream.publish(PARTITION, events)
        noted = await until_noted(ledger, 150)
    assert noted == {text: list(range(150))}


async def test_a_new_subscriber_begins_with_the_oldest_event_of_the_stream(
    url: str, stoppable_nats: NatsServer
) -> None:
    async with databases(url) as (sales, ledger):
        async with path(sales, ledger, QUICK, broker=stoppable_nats.url):
            await sell(sales, [("a", n) for n in range(20)])
            await until_noted(ledger, 20)
        async with (
            databases(f"{url}-later") as (_, later),
            path(sales, later, QUICK, broker=stoppable_nats.url),
        ):
            await sell(sales, [("a", n) for n in range(20, 30)])
            assert await until_noted(later, 30) == {"a": list(range(30))}


async def test_without_a_broker_a_new_subscriber_begins_with_what_nobody_has_had(url: str) -> None:
    async with databases(url) as (sales, ledger):
        async with path(sales, ledger, QUICK):
            await sell(sales, [("a", n) for n in range(20)])
            await until_noted(ledger, 20)
            await until_delivered(sales)
        await sell(sales, [("a", n) for n in range(20, 25)])
        async with databases(f"{url}-later") as (_, later), path(sales, later, QUICK):
            await sell(sales, [("a", n) for n in range(25, 30)])
            assert await until_noted(later, 10) == {"a": list(range(20, 30))}
            assert (await entries(ledger))["a"] == list(range(20))
