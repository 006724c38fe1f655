"""Answers the shop's people who look after the stock."""

from __future__ import annotations

from msgspec.structs import replace

from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import (
    Item,
    ItemNotFound,
    ItemNotFoundError,
    SetStockRequest,
    StockChanged,
    StockChangedError,
)


class InventoryDeskApi:
    """Handler of `inventory.v1.InventoryDeskApi`."""

    def __init__(self, database: Database) -> None:
        """Write to `database`."""
        self._database = database

    async def set_stock(self, request: SetStockRequest) -> Item:
        """The item, with the stock that was asked for."""
        async with self._database.transaction() as transaction:
            items = ItemRepository(transaction)
            item = await items.lock(request.sku)
            if item is None:
                raise ItemNotFoundError(ItemNotFound(sku=request.sku))
            if item.stock not in {request.expected_stock, request.stock}:
                raise StockChangedError(
                    StockChanged(
                        sku=request.sku, stock=item.stock, expected_stock=request.expected_stock
                    )
                )
            await items.set_stock(request.sku, request.stock)
        return replace(item, stock=request.stock)
