"""Two small services: one sells and publishes, the other notes what it hears, once for each event.

The subscriber's table has a row for each event that took effect, and a count for each key that must
never go back, so that an effect which is lost, doubled or out of order shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from contract.v1.money import Money
from contract.v1.money_wire import MONEY
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, bindparam, insert, select

from seam.contract import EventDescriptor
from seam.events import event_tables, publish, subscribe
from seam.events.host import Participant
from seam.events.subscription import Subscription
from seam.persistence import Command, Database, Query, Transaction, open_database

SOLD: Final = EventDescriptor(
    "sales.v1.Sold",
    codec=MONEY,
    key=lambda event: event.currency_code,
    subscribers=frozenset({"ledger"}),
)
"""Something was sold: the key stands for what, the amount counts up for each key."""

SALES: Final = MetaData(schema="sales")
event_tables(SALES)

LEDGER: Final = MetaData(schema="ledger")
event_tables(LEDGER)
ENTRY: Final = Table(
    "entry",
    LEDGER,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("key", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
)
_ADD: Final = Command(insert(ENTRY).values(key=bindparam("key"), amount=bindparam("amount")))


def _pair(key: str, amount: int) -> tuple[str, int]:
    return key, amount


_ENTRIES: Final = Query(select(ENTRY.c.key, ENTRY.c.amount).order_by(ENTRY.c.number), _pair)


async def note(event: Money, transaction: Transaction) -> None:
    """Handle an event: write it down."""
    await transaction.execute(_ADD, key=event.currency_code, amount=event.minor_units)


async def entries(ledger: Database) -> dict[str, list[int]]:
    """What was noted, by key, in the order in which it was."""
    noted: dict[str, list[int]] = {}
    for key, amount in await ledger.fetch_all(_ENTRIES):
        noted.setdefault(key, []).append(amount)
    return noted


async def sell(sales: Database, sold: Iterable[tuple[str, int]]) -> None:
    """Publish events, all in one transaction."""
    records = [Money(currency_code=key, minor_units=amount) for key, amount in sold]
    async with sales.transaction() as transaction:
        await publish(transaction, SOLD, *records)


def publisher(sales: Database) -> Participant:
    """The service that publishes."""
    return Participant("sales", sales, SALES, ())


def subscriber(ledger: Database, subscription: Subscription | None = None) -> Participant:
    """The service that subscribes, with `note` unless told otherwise."""
    return Participant("ledger", ledger, LEDGER, (subscription or subscribe(SOLD, note),))


def urls_of(url: str) -> tuple[str, str]:
    """URLs of the databases of both, beside each other at `url`."""
    if url.startswith("sqlite"):
        return f"{url}-sales", f"{url}-ledger"
    return url, url


@asynccontextmanager
async def databases(url: str) -> AsyncIterator[tuple[Database, Database]]:
    """The databases of both."""
    sales_url, ledger_url = urls_of(url)
    async with (
        open_database(sales_url, SALES) as sales,
        open_database(ledger_url, LEDGER) as ledger,
    ):
        yield sales, ledger
