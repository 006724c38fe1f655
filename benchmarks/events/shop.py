"""A service that publishes confirmed orders, and one that hears of them and does nothing else."""

from __future__ import annotations

import asyncio
from time import perf_counter, perf_counter_ns
from typing import Final

from contract.v1.money import Money
from sqlalchemy import MetaData

from seam.events import event_tables, publish, subscribe
from seam.events.host import Participant
from seam.events.statements import statements_of
from seam.persistence import Database, Transaction
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed
from services.orders.records.messagebus_events import ORDER_CONFIRMED

PUBLISHER: Final = "orders"
SUBSCRIBER: Final = "shopping_cart"

PUBLISHED: Final = MetaData(schema=PUBLISHER)
event_tables(PUBLISHED)

HEARD: Final = MetaData(schema=SUBSCRIBER)
event_tables(HEARD)


async def publish_orders(database: Database, count: int) -> float:
    """Publish so many events in one transaction; gives when it was committed."""
    records = [confirmed(number) for number in range(count)]
    async with database.transaction() as transaction:
        await publish(transaction, ORDER_CONFIRMED, *records)
    return perf_counter()


def confirmed(number: int) -> OrderConfirmed:
    """The event that an order of two items is confirmed, now."""
    return OrderConfirmed(
        order_id=f"order-{number:018}",
        cart_id=f"cart-{number:018}",
        cart_revision=3,
        lines=(
            ConfirmedLine(sku="SKU-0000001", quantity=2),
            ConfirmedLine(sku="SKU-2", quantity=1),
        ),
        # Every process of a machine has this clock.
        total=Money(currency_code="EUR", minor_units=perf_counter_ns()),
    )


def publishing(database: Database) -> Participant:
    """The service that publishes."""
    return Participant(PUBLISHER, database, PUBLISHED, ())


class Listener:
    """Counts the events that it hears of.

    Attributes:
        latencies: seconds from publishing to handling, of each event.
    """

    def __init__(self, database: Database) -> None:
        """Hear of what is published, with an inbox in `database`."""
        self.latencies: list[float] = []
        self._database = database
        self._expected = 0
        self._all = asyncio.Event()

    def participant(self) -> Participant:
        """The service that subscribes."""
        subscription = subscribe(ORDER_CONFIRMED, self._handle)
        return Participant(SUBSCRIBER, self._database, HEARD, (subscription,))

    def expect(self, count: int) -> None:
        """Forget what was heard, and wait for so many events."""
        self.latencies.clear()
        self._expected = count
        self._all.clear()

    async def heard(self) -> None:
        """Wait until all are heard of."""
        async with asyncio.timeout(60):
            await self._all.wait()

    async def _handle(self, event: OrderConfirmed, transaction: Transaction) -> None:
        self.latencies.append((perf_counter_ns() - event.total.minor_units) / 1e9)
        if len(self.latencies) >= self._expected:
            self._all.set()


async def until_empty(database: Database) -> None:
    """Wait until the outbox holds nothing any more."""
    async with asyncio.timeout(60):
        while True:
            if not await database.fetch_one(statements_of(PUBLISHER).outbox.count, limit=1):
                return
            await asyncio.sleep(0.002)
