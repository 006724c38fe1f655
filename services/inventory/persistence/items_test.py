from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from contract.v1.money import Money
from sqlalchemy import make_url, text

from seam.persistence import Database, Query, open_database
from services.inventory.domain.words import words
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.search import search
from services.inventory.persistence.tables import Table
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import StockItem


def an_item(
    sku: str,
    *,
    name: str = "Thing",
    description: str = "",
    category: Category = Category.HOME,
    minor_units: int = 100,
    stock: int = 10,
) -> Item:
    return Item(
        sku=sku,
        name=name,
        description=description,
        category=category,
        price=Money(currency_code="EUR", minor_units=minor_units),
        stock=stock,
    )


async def put(database: Database, *items: Item) -> None:
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(items)


async def page(
    database: Database, query: Sequence[str] = (), *, after: str = "", size: int = 200
) -> list[str]:
    if query:
        found = await search(database, words(" ".join(query)), after, size)
    else:
        found = await ItemRepository(database).page(after, size)
    return [item.sku for item in found]


async def test_an_item_is_found_as_it_was_put(database: Database) -> None:
    item = an_item(
        "Ærø-1",
        name='Mug "Größe", blue',
        description="Line one.\nLine two: 🫖",
        category=Category.KITCHEN,
        minor_units=10**12,
        stock=10**9,
    )
    await put(database, item)
    assert await ItemRepository(database).find("Ærø-1") == item


@pytest.mark.parametrize("sku", ["", "B", "a", "A ", "%", "A\0"])
async def test_only_the_exact_sku_finds_an_item(database: Database, sku: str) -> None:
    await put(database, an_item("A"))
    assert await ItemRepository(database).find(sku) is None


async def test_a_category_that_a_newer_version_wrote_is_kept(database: Database) -> None:
    await put(database, an_item("A", category=Category(77)))
    found = await ItemRepository(database).find("A")
    assert found is not None
    assert found.category == 77


async def test_putting_an_item_again_replaces_all_of_it(database: Database) -> None:
    await put(database, an_item("A", name="old"), an_item("B", name="other"))
    new = an_item(
        "A",
        name="new",
        description="fresh",
        category=Category.TOYS,
        minor_units=999,
        stock=0,
    )
    await put(database, new)
    items = ItemRepository(database)
    assert await items.find("A") == new
    assert await items.find("B") == an_item("B", name="other")
    assert await items.count() == 2
    assert await page(database, ["old"]) == []
    assert await page(database, ["new", "fresh", "toys"]) == ["A"]


async def test_putting_nothing_changes_nothing(database: Database) -> None:
    await put(database)
    assert await ItemRepository(database).count() == 0


async def test_what_is_put_is_undone_with_its_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await ItemRepository(transaction).put([an_item("A")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await ItemRepository(database).count() == 0


async def test_items_come_in_the_order_of_their_skus_code_points(database: Database) -> None:
    skus = ["b", "B", "a-c", "ab", "aB", "Z", "é", "10", "9", "_", "z", "~", "😀", "\uffee"]
    await put(database, *(an_item(sku) for sku in skus))
    assert await page(database) == sorted(skus)


async def test_pages_put_together_are_the_whole_catalogue_once(database: Database) -> None:
    skus = [f"SKU-{number:03}" for number in range(25)]
    await put(database, *(an_item(sku) for sku in reversed(skus)))
    seen: list[str] = []
    after = ""
    while found := await page(database, after=after, size=7):
        seen += found
        after = found[-1]
    assert seen == skus


async def test_items_added_before_the_next_page_do_not_shift_it(database: Database) -> None:
    await put(database, *(an_item(sku) for sku in ("B", "D", "F", "H")))
    assert await page(database, size=2) == ["B", "D"]
    await put(database, an_item("A"), an_item("C"), an_item("E"))
    assert await page(database, after="D", size=2) == ["E", "F"]


async def test_a_page_may_begin_after_a_sku_that_is_gone_or_never_was(database: Database) -> None:
    await put(database, an_item("A"), an_item("C"))
    assert await page(database, after="B") == ["C"]


async def test_stock_is_told_by_sku_and_leaves_out_what_is_not_known(database: Database) -> None:
    await put(database, an_item("A", name="Mug", minor_units=990, stock=3), an_item("B"))
    found = await ItemRepository(database).stock(["nothing", "A", "A\0"])
    price = Money(currency_code="EUR", minor_units=990)
    assert found == {"A": StockItem(sku="A", name="Mug", price=price, available=3)}


async def test_stock_of_more_skus_than_one_statement_may_name_is_complete(
    database: Database,
) -> None:
    skus = [f"SKU-{number:04}" for number in range(1203)]
    await put(database, *(an_item(sku, stock=number) for number, sku in enumerate(skus)))
    items = ItemRepository(database)
    found = await items.stock([*reversed(skus), "nothing"])
    assert {sku: item.available for sku, item in found.items()} == {
        sku: number for number, sku in enumerate(skus)
    }
    assert await items.stock([]) == {}


async def test_currencies_are_named_with_an_item_each(database: Database) -> None:
    async with database.transaction() as transaction:
        items = ItemRepository(transaction)
        assert await items.currencies() == {}
        await items.put([an_item("B"), an_item("A")])
        assert await items.currencies() == {"EUR": "A"}


async def test_the_order_does_not_depend_on_the_language_of_the_database(
    postgres_server: Any,
) -> None:
    """Dictionaries put `a` before `B` and pass over hyphens; SKUs are in the order of their codes.

    The PostgreSQL of the tests knows no language, so its catalogue is asked.
    """
    postgres_server.psql("CREATE DATABASE collations;")
    location = make_url(postgres_server.get_uri()).set(database="collations")
    url = location.render_as_string(hide_password=False)
    columns = text(
        "SELECT table_name || ' ' || collation_name FROM information_schema.columns"
        " WHERE table_schema = 'inventory' AND column_name IN ('sku', 'word')"
    )
    async with open_database(url, Table.metadata) as database:
        found = await database.fetch_all(Query(columns, str))
    assert sorted(found) == [
        "item C",
        "reservation_line C",
        "search_text C",
        *["search_word C"] * 2,
    ]
