"""Reads and writes the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contract.v1.money import Money
from sqlalchemy import bindparam, case, func, or_, select, update
from sqlmodel import col

from seam.events import publish
from seam.persistence import Command, Query, Session, Transaction, one_of
from services.inventory.persistence.search_index import SearchIndex, line_of
from services.inventory.persistence.tables import ItemRow
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import CatalogueItem, ItemChanged, StockItem
from services.inventory.records.messagebus_events import ITEM_CHANGED

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


def _catalogue_item(  # noqa: PLR0917 (the columns of a row)
    sku: str,
    name: str,
    description: str,
    category: int,
    currency_code: str,
    minor_units: int,
    version: int,
) -> CatalogueItem:
    known = _CATEGORIES.get(category, Category.UNSPECIFIED)
    return CatalogueItem(
        sku=sku,
        name=name,
        description=description,
        category="" if known is Category.UNSPECIFIED else known.name.lower(),
        price=Money(currency_code=currency_code, minor_units=minor_units),
        version=version,
    )


def _version(sku: str, version: int) -> tuple[str, int]:
    return sku, version


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

_CATALOGUE_COLUMNS: Final = (
    col(ItemRow.sku),
    col(ItemRow.name),
    col(ItemRow.description),
    col(ItemRow.category),
    col(ItemRow.currency_code),
    col(ItemRow.price_minor_units),
    col(ItemRow.version),
)

_EXPORT = Query(
    select(*_CATALOGUE_COLUMNS)
    .where(col(ItemRow.sku) > bindparam("after"))
    .order_by(col(ItemRow.sku))
    .limit(bindparam("size")),
    _catalogue_item,
)

_VERSIONS = Query(
    select(col(ItemRow.sku), col(ItemRow.version)).where(one_of(col(ItemRow.sku), "skus")),
    _version,
)

_TOLD: Final = ("name", "description", "category", "currency_code", "price_minor_units")
"""Columns whose change makes a new version of an item."""


def _put(insert: Any) -> Any:  # noqa: ANN401 (SQLAlchemy's, by dialect)
    made = insert(ItemRow)
    columns = ItemRow.__table__.columns  # type: ignore[attr-defined]
    replaced = {
        column.name: made.excluded[column.name]
        for column in columns
        if not column.primary_key and column.name != "version"
    }
    changed = or_(*(columns[name] != made.excluded[name] for name in _TOLD))
    version = case((changed, columns.version + 1), else_=columns.version)
    return made.on_conflict_do_update(index_elements=["sku"], set_={**replaced, "version": version})


_PUT = Command(_put)

_LOCK = Query(
    select(*ITEM_COLUMNS).where(col(ItemRow.sku) == bindparam("sku")).with_for_update(), item_of
)

_SET_STOCK = Command(
    update(ItemRow).where(col(ItemRow.sku) == bindparam("item")).values(stock=bindparam("units"))
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

    async def export(self, after: str, size: int) -> tuple[CatalogueItem, ...]:
        """What the catalogue says of items, in the order of their SKUs; see `page`."""
        return tuple(await self._session.fetch_all(_EXPORT, after=after, size=size))

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
        """Add items; an item whose SKU is there already takes the place of the old one.

        Others are told of what has changed when the transaction commits.

        Raises:
            TypeError: this is no transaction.
        """
        transaction = self._session
        if not isinstance(transaction, Transaction):
            raise TypeError("items are put, and others told of them, in a transaction")
        lines = {item.sku: line_of(searched_text(item)) for item in items}
        await SearchIndex(transaction).put(lines)
        before = await self._versions(list(lines))
        # Last and not first: from here on, reservations of these items wait.
        await transaction.execute_many(_PUT, [_values(item) for item in items])
        # Read back, since somebody else may have made a version meanwhile. The rows are locked now,
        # so that events come in the order of versions.
        after = await self._versions(list(lines))
        changed = [item for item in items if after[item.sku] != before.get(item.sku)]
        told = (_told(item, after[item.sku]) for item in changed)
        await publish(transaction, ITEM_CHANGED, *told)

    async def lock(self, sku: str) -> Item | None:
        """The item with a SKU, or None; until the transaction ends, nobody reserves any of it."""
        return await self._session.fetch_one(_LOCK, sku=sku)

    async def set_stock(self, sku: str, units: int) -> None:
        """Set how many units of an item can be reserved. Nobody is told of stock that changes."""
        await self._session.execute(_SET_STOCK, item=sku, units=units)

    async def _versions(self, skus: Sequence[str]) -> dict[str, int]:
        return dict(await self._session.fetch_all(_VERSIONS, skus=skus))


def searched_text(item: Item) -> str:
    """What a search looks through."""
    return " ".join((item.sku, item.name, item.description, item.category.name))


def _told(item: Item, version: int) -> ItemChanged:
    known = _catalogue_item(
        item.sku,
        item.name,
        item.description,
        int(item.category),
        item.price.currency_code,
        item.price.minor_units,
        version,
    )
    return ItemChanged(sku=item.sku, item=known)


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
