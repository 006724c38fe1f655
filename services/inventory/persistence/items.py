"""Reads and writes the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contract.v1.money import Money
from sqlalchemy import bindparam, func, select
from sqlmodel import col

from seam.persistence import Command, Query, Session, one_of
from services.inventory.persistence.search_index import SearchIndex, line_of
from services.inventory.persistence.tables import ItemRow
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import StockItem

ITEM_COLUMNS: Final = (
    col(ItemRow.sku),
    col(ItemRow.name),
    col(ItemRow.description),
    col(ItemRow.category),
    col(ItemRow.currency_code),
    col(ItemRow.price_minor_units),
    col(ItemRow.stock),
)
"""What `item_of` takes, in its order."""

_CATEGORIES: Final = {int(category): category for category in Category}
"""Making a member of its number costs as much as the rest of an item."""


def item_of(  # noqa: PLR0917
    sku: str,
    name: str,
    description: str,
    category: int,
    currency_code: str,
    minor_units: int,
    stock: int,
) -> Item:
    """Make an item of a row."""
    return Item(
        sku=sku,
        name=name,
        description=description,
        category=_CATEGORIES.get(category) or Category(category),
        price=Money(currency_code=currency_code, minor_units=minor_units),
        stock=stock,
    )


def _stock_item(sku: str, name: str, currency_code: str, minor_units: int, stock: int) -> StockItem:
    price = Money(currency_code=currency_code, minor_units=minor_units)
    return StockItem(sku=sku, name=name, price=price, available=stock)


def _currency(code: str, sku: str) -> tuple[str, str]:
    return code, sku


_FIND = Query(select(*ITEM_COLUMNS).where(col(ItemRow.sku) == bindparam("sku")), item_of)

_PAGE = Query(
    select(*ITEM_COLUMNS)
    .where(col(ItemRow.sku) > bindparam("after"))
    .order_by(col(ItemRow.sku))
    .limit(bindparam("size")),
    item_of,
)

_STOCK = Query(
    select(
        col(ItemRow.sku),
        col(ItemRow.name),
        col(ItemRow.currency_code),
        col(ItemRow.price_minor_units),
        col(ItemRow.stock),
    ).where(one_of(col(ItemRow.sku), "skus")),
    _stock_item,
)

_COUNT = Query(select(func.count()).select_from(ItemRow), int)

_ANY = Query(select(col(ItemRow.sku)).limit(1), str)

_CURRENCIES = Query(
    select(col(ItemRow.currency_code), func.min(ItemRow.sku)).group_by(col(ItemRow.currency_code)),
    _currency,
)

_ANY_CURRENCY = Query(select(col(ItemRow.currency_code), col(ItemRow.sku)).limit(1), _currency)

_PUT = Command(
    lambda insert: (made := insert(ItemRow)).on_conflict_do_update(
        index_elements=["sku"],
        set_={
            column.name: made.excluded[column.name]
            for column in ItemRow.__table__.columns  # type: ignore[attr-defined]
            if not column.primary_key
        },
    )
)


class ItemRepository:
    """The items of the catalogue."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def find(self, sku: str) -> Item | None:
        """The item with a SKU, or None."""
        return await self._session.fetch_one(_FIND, sku=sku)

    async def page(self, after: str, size: int) -> tuple[Item, ...]:
        """Items in the order of their SKUs.

        Args:
            after: only items whose SKU comes after this one; "" for the first page.
            size: the most items to give.
        """
        return tuple(await self._session.fetch_all(_PAGE, after=after, size=size))

    async def stock(self, skus: Sequence[str]) -> dict[str, StockItem]:
        """What other services may know of items, by SKU; unknown SKUs are left out."""
        if not skus:
            return {}
        found = await self._session.fetch_all(_STOCK, skus=skus)
        return {item.sku: item for item in found}

    async def is_empty(self) -> bool:
        """Whether the catalogue holds no item."""
        return await self._session.fetch_one(_ANY) is None

    async def count(self) -> int:
        """How many items the catalogue holds."""
        return await self._session.fetch_one(_COUNT) or 0

    async def currencies(self) -> dict[str, str]:
        """The currencies of the catalogue's prices, each with the SKU of one such item."""
        return dict(await self._session.fetch_all(_CURRENCIES))

    async def any_currency(self) -> tuple[str, str] | None:
        """The currency of one item's price and the item's SKU; None of an empty catalogue."""
        return await self._session.fetch_one(_ANY_CURRENCY)

    async def put(self, items: Sequence[Item]) -> None:
        """Add items; an item whose SKU is there already takes the place of the old one."""
        lines = {item.sku: line_of(searched_text(item)) for item in items}
        await SearchIndex(self._session).put(lines)
        # Last and not first: from here on, reservations of these items wait.
        await self._session.execute_many(_PUT, [_values(item) for item in items])


def searched_text(item: Item) -> str:
    """What a search looks through."""
    return " ".join((item.sku, item.name, item.description, item.category.name))


def _values(item: Item) -> dict[str, Any]:
    return {
        "sku": item.sku,
        "name": item.name,
        "description": item.description,
        "category": int(item.category),
        "currency_code": item.price.currency_code,
        "price_minor_units": item.price.minor_units,
        "stock": item.stock,
        # The version before this one searches it.
        "search_text": searched_text(item).casefold(),
    }
