"""What drivers alone need to take the same rows from an outbox into an inbox, in the same batches.

There are no handlers, and nothing is decoded.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from time import perf_counter, process_time, time_ns
from typing import Final, NamedTuple

import asyncpg
import nats
from nats.js.api import StreamConfig

from benchmarks.servers import cpu_of
from seam.testing.nats import NatsServer

BATCH: Final = 500

_ALL: Final = "position, id, type, key, time, traceparent, data"
_DATA: Final = bytes(120)
_STREAM: Final = "bare"


class Used(NamedTuple):
    """Time and CPU that something took, in seconds."""

    seconds: float
    cpu: float


def move_in_sqlite(outbox: str, inbox: str) -> Used:
    """Empty an outbox.

    Args:
        outbox: the file of the publisher's database.
        inbox: the file of the subscriber's.
    """
    with closing(_sqlite(outbox)) as sales, closing(_sqlite(inbox)) as ledger:
        begun, used = perf_counter(), process_time()
        while rows := sales.execute(
            f"SELECT {_ALL} FROM outbox ORDER BY position LIMIT {BATCH}"
        ).fetchall():
            now = time_ns() // 1000
            ledger.execute("BEGIN IMMEDIATE")
            ledger.executemany("INSERT INTO inbox VALUES (?, ?)", [(row[1], now) for row in rows])
            ledger.execute("COMMIT")
            sales.execute("BEGIN IMMEDIATE")
            sales.executemany("DELETE FROM outbox WHERE position = ?", [row[:1] for row in rows])
            sales.execute("COMMIT")
        return Used(perf_counter() - begun, process_time() - used)


def _sqlite(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


async def move_in_postgres(url: str) -> Used:
    """Empty an outbox, which is in the same database as the inbox."""
    connection = await asyncpg.connect(url)
    try:
        begun, used = perf_counter(), process_time()
        while rows := await connection.fetch(
            f"SELECT {_ALL} FROM orders.outbox ORDER BY position LIMIT {BATCH}"
        ):
            now = time_ns() // 1000
            async with connection.transaction():
                await connection.executemany(
                    "INSERT INTO shopping_cart.inbox VALUES ($1, $2)",
                    [(row[1], now) for row in rows],
                )
            await connection.execute(
                "DELETE FROM orders.outbox WHERE position = ANY($1)", [row[0] for row in rows]
            )
        return Used(perf_counter() - begun, process_time() - used)
    finally:
        await connection.close()


async def move_over_jetstream(server: NatsServer, count: int) -> Used:
    """Publish messages with acknowledgements and pull them again, one after the other."""
    client = await nats.connect(server.url)
    try:
        stream = client.jetstream(publish_async_max_pending=2 * BATCH)
        await stream.add_stream(StreamConfig(name=_STREAM, subjects=[_STREAM]))
        pulling = await stream.pull_subscribe(_STREAM, durable=_STREAM)
        begun, used = perf_counter(), process_time() + cpu_of(server.id)
        publishing = asyncio.create_task(_publish(stream, count))
        received = 0
        while received < count:
            messages = await pulling.fetch(min(BATCH, count - received), timeout=10)
            for message in messages:
                await message.ack()
            received += len(messages)
        await publishing
        used = process_time() + cpu_of(server.id) - used
        seconds = perf_counter() - begun
        await stream.delete_stream(_STREAM)
        return Used(seconds, used)
    finally:
        await client.close()


async def _publish(stream: nats.js.JetStreamContext, count: int) -> None:
    for first in range(0, count, BATCH):
        acknowledged = [
            await stream.publish_async(_STREAM, _DATA, headers={"Nats-Msg-Id": str(number)})
            for number in range(first, min(first + BATCH, count))
        ]
        await asyncio.gather(*acknowledged)
