from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from contract.v1.money import Money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from seam.persistence import Command, Database, Query
from services.inventory.domain.words import words
from services.inventory.persistence import search as ways
from services.inventory.persistence.items import ItemRepository, searched_text
from services.inventory.persistence.search import search
from services.inventory.persistence.search_index import index_missing
from services.inventory.persistence.tables import ItemRow, SearchTextRow, SearchWordRow
from services.inventory.records.api import Category, Item


def an_item(
    sku: str, *, name: str = "Thing", description: str = "", category: Category = Category.HOME
) -> Item:
    return Item(
        sku=sku,
        name=name,
        description=description,
        category=category,
        price=Money(currency_code="EUR", minor_units=100),
        stock=10,
    )


async def put(database: Database, *items: Item) -> None:
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(items)


async def found(database: Database, query: str, *, after: str = "", size: int = 200) -> list[str]:
    return [item.sku for item in await search(database, words(query), after, size)]


async def test_with_each_word_of_a_query_a_word_of_the_item_begins(database: Database) -> None:
    await put(
        database,
        an_item("KIT-1", name="Blue mug", description="Holds tea.", category=Category.KITCHEN),
        an_item("KIT-2", name="Blue bowl", description="Holds soup.", category=Category.KITCHEN),
        an_item("TOY-1", name="Blue car", description="Holds nothing.", category=Category.TOYS),
    )
    assert await found(database, "blue") == ["KIT-1", "KIT-2", "TOY-1"]
    assert await found(database, "holds blue kitchen") == ["KIT-1", "KIT-2"]
    assert await found(database, "tea mug kit-1") == ["KIT-1"]
    assert await found(database, "sou bo") == ["KIT-2"]
    assert await found(database, "oup") == []
    assert await found(database, "blue lorry") == []


async def test_a_search_can_be_paged(database: Database) -> None:
    await put(database, *(an_item(f"{n}", name="even" if n % 2 == 0 else "odd") for n in range(8)))
    assert await found(database, "even", size=2) == ["0", "2"]
    assert await found(database, "even", after="2", size=9) == ["4", "6"]


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
    assert await found(database, word) == ["A"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("100%", ["PERCENT", "PLAIN"]),
        ("a_b", ["BACKSLASH", "UNDERSCORE"]),
        ("wool!", ["PERCENT", "PLAIN"]),
        ("chef's", ["QUOTE"]),
        ("and/or", ["SLASH"]),
        ("[a-z]", []),
    ],
)
async def test_signs_separate_words_and_are_no_wildcards(
    database: Database, query: str, expected: list[str]
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
    assert await found(database, query) == expected


@pytest.fixture(params=["few", "many"])
def scale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to a page, as if it were the one for this number of items."""
    if request.param == "many":
        monkeypatch.setattr(ways, "FEW", 3)
        monkeypatch.setattr(ways, "MANY", 2)
        monkeypatch.setattr(ways, "WINDOW", 4)
        monkeypatch.setattr(ways, "CANDIDATES", 3)


LETTERS = st.text("abA é-", max_size=12)


@pytest.mark.usefixtures("scale")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(LETTERS, max_size=25), query=LETTERS, size=st.integers(1, 5))
async def test_every_way_finds_the_same_page_by_page(
    database: Database, names: Sequence[str], query: str, size: int
) -> None:
    items = [an_item(f"{number:02}", name=name) for number, name in enumerate(names)]
    for table in (SearchWordRow, SearchTextRow, ItemRow):
        await database.execute(Command(delete(table)))
    await put(database, *items)
    sought = words(query)
    if not sought:
        return
    expected = [
        item.sku
        for item in items
        if all(any(word.startswith(each) for word in words(searched_text(item))) for each in sought)
    ]
    seen: list[str] = []
    while page := await found(database, query, after=seen[-1] if seen else "", size=size):
        seen += page
    assert seen == expected


@pytest.mark.usefixtures("scale")
async def test_no_list_grows_with_the_catalogue(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of all that hold a word would hold the event loop up while it is handed over."""
    await put(database, *(an_item(f"{n:03}", name=("even", "odd")[n % 2]) for n in range(300)))
    longest = 0
    fetch_all = Database.fetch_all

    async def note(self: Database, query: Query[Any], **parameters: Any) -> list[Any]:
        nonlocal longest
        rows = await fetch_all(self, query, **parameters)
        longest = max(longest, len(rows), len(parameters.get("skus", ())))
        return rows

    monkeypatch.setattr(Database, "fetch_all", note)
    for query in ("even odd", "o e home", "odd"):
        await found(database, query, size=2)
    assert longest <= ways.FEW


async def test_items_that_another_version_has_written_get_their_words(database: Database) -> None:
    await put(database, *(an_item(f"{number:04}", name="mug") for number in range(1203)))
    for table in (SearchWordRow, SearchTextRow):
        await database.execute(Command(delete(table)))
    await put(database, an_item("0007", name="bowl"))
    assert await found(database, "mug") == []
    assert await index_missing(database) == 1202
    assert await index_missing(database) == 0
    assert len(await found(database, "mug", size=2000)) == 1202
    assert await found(database, "bowl") == ["0007"]


async def test_an_item_is_not_found_by_words_that_it_had(database: Database) -> None:
    await put(database, an_item("A", name="old words"), an_item("B", name="old"))
    await put(database, an_item("A", name="new words"))
    assert await found(database, "old") == ["B"]
    assert await found(database, "new words") == ["A"]


async def test_searches_for_words_of_many_items_do_not_hold_up_those_who_browse(
    database: Database,
) -> None:
    """Two words of half the catalogue each, which no item has both of."""
    size = 8_000
    await put(database, *(an_item(f"{n:05}", name=("even", "odd")[n % 2]) for n in range(size)))
    assert await found(database, "even odd") == []
    searches = [asyncio.create_task(found(database, "even odd")) for _ in range(40)]
    await asyncio.sleep(0)
    items = ItemRepository(database)
    for number in range(30):
        item = await items.find(f"{number:05}")
        assert item is not None
        assert len(await items.page(item.sku, 10)) == 10
    # Nobody who browsed had to wait until it was their turn after all who came before.
    assert not all(search.done() for search in searches)
    assert await asyncio.gather(*searches) == [[]] * 40
