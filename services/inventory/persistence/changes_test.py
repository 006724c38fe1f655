"""Who keeps something of the catalogue hears of every change of it, in the order of versions."""

from __future__ import annotations

import pytest
from contract.v1.money import Money
from sqlalchemy import select

from seam.persistence import Database, Query
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.tables import Table
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import CatalogueItem
from services.inventory.records.messagebus_events import ITEM_CHANGED

OUTBOX = Table.metadata.tables["inventory.outbox"]


def an_item(
    sku: str, *, name: str = "Mug", stock: int = 1, category: Category = Category.KITCHEN
) -> Item:
    return Item(
        sku=sku,
        name=name,
        description="For tea.",
        category=category,
        price=Money(currency_code="EUR", minor_units=990),
        stock=stock,
    )


async def put(database: Database, *items: Item) -> None:
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(items)


async def told(database: Database) -> list[tuple[str, str, int]]:
    """Key, name and version of each event, in the order of the outbox."""

    def read(key: str, data: bytes) -> tuple[str, str, int]:
        item = ITEM_CHANGED.codec.decode(data).item
        assert item.sku == key
        return key, item.name, item.version

    columns = (OUTBOX.c.key, OUTBOX.c.data)
    return await database.fetch_all(Query(select(*columns).order_by(OUTBOX.c.position), read))


async def test_a_new_item_and_one_that_is_renamed_are_told_with_versions_that_grow(
    database: Database,
) -> None:
    await put(database, an_item("A"), an_item("B"))
    await put(database, an_item("B", name="Cup"))
    await put(database, an_item("B"))
    assert await told(database) == [
        ("A", "Mug", 1),
        ("B", "Mug", 1),
        ("B", "Cup", 2),
        ("B", "Mug", 3),
    ]


async def test_an_item_that_is_put_as_it_is_or_with_another_stock_is_not_told_again(
    database: Database,
) -> None:
    await put(database, an_item("A"))
    await put(database, an_item("A"))
    await put(database, an_item("A", stock=7))
    found = await ItemRepository(database).find("A")
    assert found is not None
    assert found.stock == 7
    assert await told(database) == [("A", "Mug", 1)]


async def test_nothing_is_told_of_what_was_undone(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await ItemRepository(transaction).put([an_item("A")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await told(database) == []


async def test_items_are_put_in_a_transaction_alone(database: Database) -> None:
    with pytest.raises(TypeError, match="in a transaction"):
        await ItemRepository(database).put([an_item("A")])


async def test_the_catalogue_is_exported_in_the_order_of_skus_with_the_versions_that_are_told(
    database: Database,
) -> None:
    await put(database, an_item("b"), an_item("B"), an_item("é", category=Category.UNSPECIFIED))
    await put(database, an_item("B", name="Cup"))
    items = ItemRepository(database)
    first = await items.export("", 2)
    assert first == (
        CatalogueItem(
            sku="B",
            name="Cup",
            description="For tea.",
            category="kitchen",
            price=Money(currency_code="EUR", minor_units=990),
            version=2,
        ),
        CatalogueItem(
            sku="b",
            name="Mug",
            description="For tea.",
            category="kitchen",
            price=Money(currency_code="EUR", minor_units=990),
            version=1,
        ),
    )
    (last,) = await items.export("b", 2)
    assert (last.sku, last.category) == ("é", "")
