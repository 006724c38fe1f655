from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from contract.v1.money import Money
from sqlalchemy import make_url, text

from seam.persistence import Database, open_database
from services.inventory.persistence.items import ItemRepository
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
    async with database.transaction() as session:
        await ItemRepository(session).put(items)


async def page(
    database: Database, words: Sequence[str] = (), *, after: str = "", size: int = 200
) -> list[str]:
    async with database.read() as session:
        return [item.sku for item in await ItemRepository(session).page(words, after, size)]


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
    async with database.read() as session:
        assert await ItemRepository(session).find("Ærø-1") == item


@pytest.mark.parametrize("sku", ["", "B", "a", "A ", "%", "A\0"])
async def test_only_the_exact_sku_finds_an_item(database: Database, sku: str) -> None:
    await put(database, an_item("A"))
    async with database.read() as session:
        assert await ItemRepository(session).find(sku) is None


async def test_a_category_that_a_newer_version_wrote_is_kept(database: Database) -> None:
    await put(database, an_item("A", category=Category(77)))
    async with database.read() as session:
        found = await ItemRepository(session).find("A")
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
    async with database.read() as session:
        items = ItemRepository(session)
        assert await items.find("A") == new
        assert await items.find("B") == an_item("B", name="other")
        assert await items.count() == 2
    assert await page(database, ["old"]) == []
    assert await page(database, ["new", "fresh", "toys"]) == ["A"]


async def test_putting_nothing_changes_nothing(database: Database) -> None:
    await put(database)
    async with database.read() as session:
        assert await ItemRepository(session).count() == 0


async def test_what_is_put_is_undone_with_its_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await ItemRepository(session).put([an_item("A")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as session:
        assert await ItemRepository(session).count() == 0


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


async def test_all_words_must_occur_anywhere_in_an_item_s_text(database: Database) -> None:
    await put(
        database,
        an_item("KIT-1", name="Blue mug", description="Holds tea.", category=Category.KITCHEN),
        an_item("KIT-2", name="Blue bowl", description="Holds soup.", category=Category.KITCHEN),
        an_item("TOY-1", name="Blue car", description="Holds nothing.", category=Category.TOYS),
    )
    assert await page(database, ["blue"]) == ["KIT-1", "KIT-2", "TOY-1"]
    assert await page(database, ["holds", "blue", "kitchen"]) == ["KIT-1", "KIT-2"]
    assert await page(database, ["tea", "mug", "kit-1"]) == ["KIT-1"]
    assert await page(database, ["oup"]) == ["KIT-2"]
    assert await page(database, ["blue", "lorry"]) == []


async def test_a_search_can_be_paged(database: Database) -> None:
    await put(database, *(an_item(f"{n}", name="even" if n % 2 == 0 else "odd") for n in range(8)))
    assert await page(database, ["even"], size=2) == ["0", "2"]
    assert await page(database, ["even"], after="2", size=9) == ["4", "6"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Mug", "MUG"),
        ("MUG", "mug"),
        ("Größe", "GRÖSSE"),
        ("Größe", "größe"),
        ("GRÖSSE", "größe"),
        ("Élan", "élan"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ørsted", "øRSTED"),
    ],
)
async def test_words_are_found_in_any_case_of_any_script(
    database: Database, name: str, word: str
) -> None:
    await put(database, an_item("A", name=name), an_item("B", name="Other"))
    assert await page(database, [word]) == ["A"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("100%", ["PERCENT"]),
        ("%", ["PERCENT"]),
        ("a_b", ["UNDERSCORE"]),
        ("_", ["UNDERSCORE"]),
        ("\\", ["BACKSLASH"]),
        ("/", ["SLASH"]),
        ("'", ["QUOTE"]),
        ("[a-z]", []),
        ("*", []),
    ],
)
async def test_signs_that_a_database_reads_as_wildcards_stand_for_themselves(
    database: Database, word: str, found: list[str]
) -> None:
    await put(
        database,
        an_item("BACKSLASH", name="a\\b"),
        an_item("PERCENT", name="100% wool"),
        an_item("PLAIN", name="aXb 100 wool"),
        an_item("QUOTE", name="chef's"),
        an_item("SLASH", name="and/or"),
        an_item("UNDERSCORE", name="a_b"),
    )
    assert await page(database, [word]) == found


async def test_a_nul_character_is_found_nowhere(database: Database) -> None:
    await put(database, an_item("A", name="mug"))
    assert await page(database, ["m\0"]) == []
    assert await page(database, ["\0"]) == []


async def test_stock_is_told_by_sku_and_leaves_out_what_is_not_known(database: Database) -> None:
    await put(database, an_item("A", name="Mug", minor_units=990, stock=3), an_item("B"))
    async with database.read() as session:
        found = await ItemRepository(session).stock(["nothing", "A", "A\0"])
    price = Money(currency_code="EUR", minor_units=990)
    assert found == {"A": StockItem(sku="A", name="Mug", price=price, available=3)}


async def test_stock_of_more_skus_than_one_statement_may_name_is_complete(
    database: Database,
) -> None:
    skus = [f"SKU-{number:04}" for number in range(1203)]
    await put(database, *(an_item(sku, stock=number) for number, sku in enumerate(skus)))
    async with database.read() as session:
        items = ItemRepository(session)
        found = await items.stock([*reversed(skus), "nothing"])
        assert {sku: item.available for sku, item in found.items()} == {
            sku: number for number, sku in enumerate(skus)
        }
        assert await items.stock([]) == {}


async def test_currencies_are_named_with_an_item_each(database: Database) -> None:
    async with database.transaction() as session:
        items = ItemRepository(session)
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
    async with open_database(url, Table.metadata) as database, database.read() as session:
        columns = await session.execute(
            text(
                "SELECT table_name, collation_name FROM information_schema.columns"
                " WHERE table_schema = 'inventory' AND column_name = 'sku'"
            )
        )
        assert {tuple(row) for row in columns} == {("item", "C"), ("reservation_line", "C")}
