"""Counts what is sold."""

from __future__ import annotations

from seam.persistence import Transaction
from services.home.persistence.sales import SalesRepository
from services.orders.records.messagebus import OrderConfirmed


async def count_sold_items(event: OrderConfirmed, transaction: Transaction) -> None:
    """Count the units of a confirmed order. One that is cancelled later has been wanted too."""
    sold: dict[str, int] = {}
    for line in event.lines:
        sold[line.sku] = sold.get(line.sku, 0) + line.quantity
    await SalesRepository(transaction).add(sold)
