"""Reads and writes the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from contract.v1.money import Money
from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from seam.persistence import upsert
from services.inventory.persistence.tables import ItemRow
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import StockItem

_LOOK_UP_AT_ONCE: Final = 500
"""SKUs in one statement: databases limit its parameters."""

_ITEM: Final = (
    col(ItemRow.sku),
    col(ItemRow.name),
    col(ItemRow.description),
    col(ItemRow.category),
    col(ItemRow.currency_code),
    col(ItemRow.price_minor_units),
    col(ItemRow.stock),
)


class ItemRepository:
    """The items of the catalogue, in one session."""

    def __init__(self, session: AsyncSession) -> None:
        """Work in `session`, which the caller commits."""
        self._session = session

    async def find(self, sku: str) -> Item | None:
        """The item with a SKU, or None."""
        rows = await self._session.execute(select(*_ITEM).where(col(ItemRow.sku) == sku))
        row = rows.one_or_none()
        return None if row is None else _item(row)

    async def page(self, words: Iterable[str], after: str, size: int) -> tuple[Item, ...]:
        """Items in the order of their SKUs.

        Args:
            words: all of these occur in an item's text, in any case.
            after: only items whose SKU comes after this one; "" for the first page.
            size: the most items to give.
        """
        statement = select(*_ITEM).where(col(ItemRow.sku) > after)
        for word in words:
            held = col(ItemRow.search_text).contains(word.casefold(), autoescape=True)
            statement = statement.where(held)
        rows = await self._session.execute(statement.order_by(col(ItemRow.sku)).limit(size))
        return tuple(_item(row) for row in rows)

    async def stock(self, skus: Sequence[str]) -> dict[str, StockItem]:
        """What other services may know of items, by SKU; unknown SKUs are left out."""
        found: dict[str, StockItem] = {}
        for start in range(0, len(skus), _LOOK_UP_AT_ONCE):
            rows = await self._session.execute(_stock(skus[start : start + _LOOK_UP_AT_ONCE]))
            for sku, name, currency_code, minor_units, stock in rows:
                price = Money(currency_code=currency_code, minor_units=minor_units)
                found[sku] = StockItem(sku=sku, name=name, price=price, available=stock)
        return found

    async def count(self) -> int:
        """How many items the catalogue holds."""
        rows = await self._session.execute(select(func.count()).select_from(ItemRow))
        return rows.scalar_one()

    async def currencies(self) -> dict[str, str]:
        """The currencies of the catalogue's prices, each with the SKU of one such item."""
        rows = await self._session.execute(
            select(col(ItemRow.currency_code), func.min(ItemRow.sku).label("sku")).group_by(
                col(ItemRow.currency_code)
            )
        )
        return {row.currency_code: row.sku for row in rows}

    async def put(self, items: Sequence[Item]) -> None:
        """Add items; an item whose SKU is there already takes the place of the old one."""
        if not items:
            return
        insert = upsert(self._session, ItemRow)
        changed = {
            column.name: insert.excluded[column.name]
            for column in ItemRow.__table__.columns  # type: ignore[attr-defined]
            if not column.primary_key
        }
        statement = insert.on_conflict_do_update(index_elements=["sku"], set_=changed)
        await self._session.execute(statement, [_values(item) for item in items])


def _stock(skus: Sequence[str]) -> Select[str, str, str, int, int]:
    return select(
        col(ItemRow.sku),
        col(ItemRow.name),
        col(ItemRow.currency_code),
        col(ItemRow.price_minor_units),
        col(ItemRow.stock),
    ).where(col(ItemRow.sku).in_(skus))


def _item(row: Row[str, str, str, int, str, int, int]) -> Item:
    sku, name, description, category, currency_code, minor_units, stock = row
    return Item(
        sku=sku,
        name=name,
        description=description,
        category=Category(category),
        price=Money(currency_code=currency_code, minor_units=minor_units),
        stock=stock,
    )


def _values(item: Item) -> dict[str, Any]:
    text = " ".join((item.sku, item.name, item.description, item.category.name))
    return {
        "sku": item.sku,
        "name": item.name,
        "description": item.description,
        "category": int(item.category),
        "currency_code": item.price.currency_code,
        "price_minor_units": item.price.minor_units,
        "stock": item.stock,
        "search_text": text.casefold(),
    }
