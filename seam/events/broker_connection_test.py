"""A connection to the broker comes back by itself, however it was lost, and closes in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from seam.events.broker import CLOSE_TIMEOUT, Broker, connected
from seam.events.ending import end_all
from seam.testing.nats import NatsServer

PATIENCE = 60.0
JAM = 40
"""Messages of a megabyte: many times what the system keeps of what nobody takes."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[NatsServer, NatsServer]]:
    """Two servers that know nothing of each other."""
    both = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        both.append(NatsServer(tmp_path / name))
    try:
        for server in both:
            server.start()
        yield both[0], both[1]
    finally:
        for server in both:
            server.kill()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def is_connected_to(broker: Broker, server: NatsServer) -> bool:
    url = broker.client.connected_url
    return url is not None and url.netloc == server.address


async def jam(client: Client) -> None:
    """Write until more waits to be sent than the system takes."""
    for _ in range(JAM):
        await client.publish("anything", bytes(1_000_000))


async def let_go(server: NatsServer, jamming: asyncio.Task[None]) -> None:
    """End a server, and have what is still open to it closed, so that the test leaves nothing."""
    server.kill()
    await end_all([jamming])
    await asyncio.sleep(0.2)


async def test_a_connection_full_of_what_a_frozen_broker_does_not_take_is_closed_in_time(
    stoppable_nats: NatsServer,
) -> None:
    async with connected(stoppable_nats.url) as broker:
        await until(lambda: broker.client.is_connected)
        stoppable_nats.freeze()
        jamming = asyncio.create_task(jam(broker.client))
        await asyncio.sleep(1)
        assert not jamming.done()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5 * CLOSE_TIMEOUT
    await let_go(stoppable_nats, jamming)


async def test_a_broker_that_vanishes_with_much_on_its_way_to_it_is_left_for_another(
    servers: tuple[NatsServer, NatsServer], caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(",".join(each.url for each in servers)) as broker:
        await until(lambda: broker.client.is_connected)
        first, second = servers if is_connected_to(broker, servers[0]) else servers[::-1]
        first.freeze()
        jamming = asyncio.create_task(jam(broker.client))
        await until(lambda: is_connected_to(broker, second))
        await until(lambda: broker.problem is None)
    await let_go(first, jamming)
    lines = [each.message for each in caplog.records if "the broker of events" in each.message]
    assert len(lines) <= 2, lines


async def test_who_gives_up_connecting_is_free_at_whatever_moment_that_is(
    stoppable_nats: NatsServer,
) -> None:
    stoppable_nats.kill()
    for turns in range(25):
        broker = Broker(stoppable_nats.url)
        connecting = asyncio.create_task(broker.connect())
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        done, _ = await asyncio.wait([connecting], timeout=PATIENCE)
        assert done, f"it goes on when it is cancelled after {turns} turns of the event loop"
        await broker.close()


async def test_a_client_that_closes_itself_as_when_the_broker_tells_it_of_an_error_is_replaced(
    stoppable_nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(stoppable_nats.url) as broker:
        await until(lambda: broker.client.is_connected)
        await broker.client.close()
        assert broker.problem is not None
        await until(lambda: broker.problem is None)
        assert await broker.request("$JS.API.INFO", b"")
    lines = [each.message for each in caplog.records if "the broker of events" in each.message]
    assert len(lines) == 2, lines
