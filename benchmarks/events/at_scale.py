"""Runs of minutes that nobody waits for in a test: millions of rows, and a broker that is away.

./pants run benchmarks/events/at_scale.py -- outbox --rows 10000000
./pants run benchmarks/events/at_scale.py -- outbox --rows 10000000 --jetstream --postgresql
./pants run benchmarks/events/at_scale.py -- outage --seconds 60
./pants run benchmarks/events/at_scale.py -- outage --seconds 60 --kill
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import uvloop
from cyclopts import App
from sqlalchemy import func, select

from benchmarks.broker import nats_server
from benchmarks.events.shop import HEARD, PUBLISHED, PUBLISHER, SUBSCRIBER, confirmed
from benchmarks.postgres import postgres
from seam.events import subscribe
from seam.events.broker import connected
from seam.events.event import microseconds, new_id, partition_of
from seam.events.host import Participant, delivering
from seam.events.lag import measure
from seam.events.policy import DEFAULT_POLICY
from seam.events.retrying import Retrying
from seam.events.statements import statements_of
from seam.events.subscriber import Subscriber
from seam.events.testing.paths import path
from seam.events.testing.shop import databases, entries, sell
from seam.persistence import Database, Query, Transaction, open_database
from services.orders.records.messagebus import OrderConfirmed
from services.orders.records.messagebus_events import ORDER_CONFIRMED

app = App(name="at-scale", help="Runs of minutes.", version_flags=[])

TOLD_EVERY: Final = 10.0
"""Seconds between two lines about how far a run is."""

_AT_ONCE: Final = 10_000
_KEYS: Final = 1_000
_DATA: Final = ORDER_CONFIRMED.codec.encode(confirmed(1))
_INBOX: Final = Query(select(func.count()).select_from(HEARD.tables[f"{SUBSCRIBER}.inbox"]), int)


@app.command
def outbox(rows: int = 10_000_000, *, jetstream: bool = False, postgresql: bool = False) -> None:
    """Empty an outbox that nobody has read for long, and trim the inbox that has grown with it.

    Args:
        rows: how many events wait.
        jetstream: through the broker, and not in the process.
        postgresql: on PostgreSQL, and not on SQLite.
    """
    uvloop.run(_outbox(rows, jetstream=jetstream, postgresql=postgresql))


@app.command
def outage(seconds: float = 60.0, *, kill: bool = False) -> None:
    """Stop the broker under load, let it come back, and count what has had an effect.

    Args:
        seconds: how long it is away.
        kill: end it without warning, and not only freeze it.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    uvloop.run(_outage(seconds, kill=kill))


async def _outbox(rows: int, *, jetstream: bool, postgresql: bool) -> None:
    async with _places(postgresql=postgresql) as (published, heard):
        begun = perf_counter()
        for first in range(0, rows, _AT_ONCE):
            await _fill(published, first, min(_AT_ONCE, rows - first))
        print(f"{rows:,} rows written in {perf_counter() - begun:.0f} s; {_memory()}")
        heard_of = _Counter()
        publisher = Participant(PUBLISHER, published, PUBLISHED, ())
        subscriber = Participant(
            SUBSCRIBER, heard, HEARD, (subscribe(ORDER_CONFIRMED, heard_of.handle),)
        )
        async with AsyncExitStack() as stack:
            parts: list[tuple[Participant, ...]] = [(publisher, subscriber)]
            url = None
            if jetstream:
                url = stack.enter_context(nats_server()).url
                parts = [(publisher,), (subscriber,)]
            for part in parts:
                broker = None if url is None else await stack.enter_async_context(connected(url))
                await stack.enter_async_context(delivering(part, broker))
            begun = perf_counter()
            await _until_drained(published, heard_of, rows)
            seconds = perf_counter() - begun
        known = await heard.fetch_one(_INBOX)
        print(
            f"drained in {seconds:.0f} s, {rows / seconds:,.0f} events/s; {heard_of.count:,} "
            f"handled, {known:,} ids in the inbox; {_memory()}"
        )
        policy = replace(DEFAULT_POLICY, inbox_age=0.0)
        begun = perf_counter()
        await Retrying(Subscriber(SUBSCRIBER, heard, (), policy), policy).trim()
        left = await heard.fetch_one(_INBOX)
        print(f"inbox trimmed to {left} in {perf_counter() - begun:.0f} s; {_memory()}")


@dataclass
class _Counter:
    """Counts what it handles."""

    count: int = 0

    async def handle(self, event: OrderConfirmed, transaction: Transaction) -> None:
        """Count an event."""
        self.count += 1


@asynccontextmanager
async def _places(*, postgresql: bool) -> AsyncIterator[tuple[Database, Database]]:
    """Databases of a publisher and a subscriber, with nothing in them."""
    with TemporaryDirectory(prefix="at-scale-") as directory, postgres() as server:
        urls = [f"sqlite:///{directory}/{name}.db" for name in ("orders", "carts")]
        if postgresql:
            urls = [server.create("events")] * 2
        async with (
            open_database(urls[0], PUBLISHED) as published,
            open_database(urls[1], HEARD) as heard,
        ):
            yield published, heard


async def _fill(database: Database, first: int, count: int) -> None:
    """Write events with numbers from `first` on, of keys of all partitions."""
    begun = microseconds()
    rows = [
        {
            "partition": partition_of(key),
            "delivered": False,
            "id": new_id(begun),
            "type": ORDER_CONFIRMED.type,
            "key": key,
            "time": begun,
            "traceparent": "",
            "data": _DATA,
        }
        for key in (f"key {number % _KEYS}" for number in range(first, first + count))
    ]
    await database.execute_many(statements_of(PUBLISHER).outbox.add, rows)


async def _until_drained(database: Database, heard_of: _Counter, rows: int) -> None:
    begun = told = perf_counter()
    before = 0
    while (await measure(PUBLISHER, database)).outbox or heard_of.count < rows:
        await asyncio.sleep(0.5)
        now = perf_counter()
        if now - told >= TOLD_EVERY:
            rate = (heard_of.count - before) / (now - told)
            print(f"{now - begun:6.0f} s  {heard_of.count:>11,}  {rate:,.0f}/s  {_memory()}")
            told, before = now, heard_of.count


async def _outage(seconds: float, *, kill: bool) -> None:
    policy = replace(DEFAULT_POLICY, poll=0.1)
    with TemporaryDirectory(prefix="at-scale-") as directory, nats_server() as nats:
        async with (
            databases(f"sqlite:///{Path(directory)}/shop") as (sales, ledger),
            connected(nats.url) as watching,
            path(sales, ledger, policy, broker=nats.url),
        ):
            load = _Load(sales)
            selling = asyncio.create_task(load.run())
            await asyncio.sleep(5)
            if kill:
                nats.kill()
            else:
                nats.freeze()
            begun = perf_counter()
            await asyncio.sleep(seconds / 2)
            print(f"after {seconds / 2:.0f} s the broker {watching.problem}")
            await asyncio.sleep(seconds / 2)
            waiting = (await measure("sales", sales)).outbox
            print(f"after {perf_counter() - begun:.0f} s {waiting:,} events wait in the outbox")
            if kill:
                nats.start()
            else:
                nats.thaw()
            begun = perf_counter()
            while (await measure("sales", sales)).outbox > waiting // 100:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            print(f"{perf_counter() - begun:.1f} s after its return they are delivered")
            await asyncio.sleep(2)
            load.ended = True
            await selling
            expected = {key: list(range(load.each)) for key in load.keys}
            noted: dict[str, list[int]] = {}
            async with asyncio.timeout(60):
                while sum(map(len, noted.values())) < load.each * len(load.keys):
                    await asyncio.sleep(0.1)
                    noted = await entries(ledger)
            verdict = "once each, in order" if noted == expected else "NOT as they were published"
            print(f"{load.each * len(load.keys):,} events published and handled: {verdict}")


@dataclass
class _Load:
    """Publishes without pause, whatever becomes of the events.

    Attributes:
        sales: the publisher's database.
        keys: the keys of the events.
        each: how many events of each key are published.
        ended: whether to publish no more.
    """

    sales: Database
    keys: tuple[str, ...] = tuple(f"key {n}" for n in range(20))
    each: int = 0
    ended: bool = False

    async def run(self) -> None:
        """Publish some hundreds of events a second."""
        while not self.ended:
            await sell(self.sales, [(key, self.each) for key in self.keys])
            self.each += 1
            await asyncio.sleep(0.05)


def _memory() -> str:
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{kibibytes // 1024} MiB of memory at most"


if __name__ == "__main__":
    app()
