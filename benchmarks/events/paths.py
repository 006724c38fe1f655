"""The ways that events take to a subscriber: in the process, and from process to process."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

from benchmarks.broker import nats_server
from benchmarks.events.shop import (
    HEARD,
    PUBLISHED,
    Listener,
    publish_orders,
    publishing,
    until_empty,
)
from benchmarks.servers import cpu_of, server_process
from seam.events.broker import connected
from seam.events.host import delivering
from seam.persistence import open_database


@dataclass(frozen=True)
class Urls:
    """Where the databases of both services are."""

    publisher: str
    subscriber: str


@dataclass(frozen=True)
class EventPath:
    """Services that publish and hear.

    Attributes:
        publish: publishes so many events in one transaction; gives when it was committed.
        listener: hears of them.
        emptied: waits until the outbox is empty.
        cpu: seconds of CPU that the processes of the services, and of the broker, have used.
    """

    publish: Callable[[int], Awaitable[float]]
    listener: Listener
    emptied: Callable[[], Awaitable[None]]
    cpu: Callable[[], float]


@asynccontextmanager
async def in_the_process(urls: Urls) -> AsyncIterator[EventPath]:
    """Both services in this process."""
    async with (
        open_database(urls.publisher, PUBLISHED) as outbox,
        open_database(urls.subscriber, HEARD) as inbox,
    ):
        listener = Listener(inbox)
        async with delivering([publishing(outbox), listener.participant()]):
            yield EventPath(
                partial(publish_orders, outbox),
                listener,
                partial(until_empty, outbox),
                time.process_time,
            )


@asynccontextmanager
async def over_jetstream(urls: Urls) -> AsyncIterator[EventPath]:
    """The publisher in a process of its own, and a broker between it and this one."""
    with nats_server() as nats:
        here, there = multiprocessing.get_context("spawn").Pipe()
        serve = partial(_serve_publisher, urls.publisher, nats.url, there)
        with server_process(serve) as publisher:

            async def publish(count: int) -> float:
                here.send(count)
                committed: float = await asyncio.to_thread(here.recv)
                return committed

            async with (
                open_database(urls.publisher, PUBLISHED) as outbox,
                open_database(urls.subscriber, HEARD) as inbox,
                connected(nats.url) as broker,
            ):
                listener = Listener(inbox)
                async with delivering([listener.participant()], broker):
                    yield EventPath(
                        publish,
                        listener,
                        partial(until_empty, outbox),
                        lambda: time.process_time() + publisher.cpu() + cpu_of(nats.id),
                    )


async def _serve_publisher(
    url: str, broker_url: str, orders: Connection, listening: Callable[[str], None]
) -> None:
    """Publish as many events as the other end of a pipe asks for."""
    counts: asyncio.Queue[int] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(orders.fileno(), lambda: counts.put_nowait(orders.recv()))
    async with (
        open_database(url, PUBLISHED) as database,
        connected(broker_url) as broker,
        delivering([publishing(database)], broker),
    ):
        listening("a pipe")
        while True:
            orders.send(await publish_orders(database, await counts.get()))
