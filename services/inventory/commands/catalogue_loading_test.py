from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from services.inventory.commands.catalogue_loading import (
    CHUNK,
    OtherCurrencyError,
    load,
    load_if_empty,
)
from services.inventory.messagebus.inventory import Inventory
from services.inventory.persistence.items import ItemRepository, searched_lines
from services.inventory.persistence.search import search
from services.inventory.persistence.search_index import SearchIndex
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import ReserveStockRequest, StockLine


def an_item(sku: str, *, name: str = "Thing", stock: int = 10, currency: str = "EUR") -> Item:
    return Item(
        sku=sku,
        name=name,
        description="",
        category=Category.HOME,
        price=Money(currency_code=currency, minor_units=100),
        stock=stock,
    )


async def held(database: Database) -> dict[str, Item]:
    return {item.sku: item for item in await ItemRepository(database).page("", 3 * CHUNK)}


def ignore(_: int) -> None:
    """Nobody watches."""


async def test_loading_adds_items_replaces_known_ones_and_keeps_the_others(
    database: Database,
) -> None:
    old = [an_item("A", name="old"), an_item("B", name="old")]
    await load(database, old, ignore)
    new = [an_item("B", name="new", stock=3), an_item("C", name="new")]
    await load(database, new, ignore)
    assert await held(database) == {"A": old[0], "B": new[0], "C": new[1]}


async def test_progress_is_told_in_chunks_that_add_up(database: Database) -> None:
    written: list[int] = []
    items = [an_item(f"SKU-{number:05}") for number in range(2 * CHUNK + 7)]
    await load(database, items, written.append)
    assert written == [CHUNK, CHUNK, 7]
    assert len(await held(database)) == len(items)


async def test_an_empty_catalogue_changes_nothing(database: Database) -> None:
    await load(database, [an_item("A")], ignore)
    await load(database, [], ignore)
    await load_if_empty(database, [])
    assert (await held(database)).keys() == {"A"}


async def test_an_empty_catalogue_can_be_loaded_into_an_empty_database(database: Database) -> None:
    await load_if_empty(database, [])
    assert await held(database) == {}


async def test_a_currency_that_differs_from_items_that_stay_is_refused_and_nothing_changes(
    database: Database,
) -> None:
    before = [an_item("A"), an_item("B")]
    await load(database, before, ignore)
    with pytest.raises(OtherCurrencyError) as caught:
        await load(database, [an_item("B", currency="CHF"), an_item("C", currency="CHF")], ignore)
    assert str(caught.value) == (
        "all prices must be in one currency; there would be CHF (as of 'B'), EUR (as of 'A')"
    )
    assert await held(database) == {item.sku: item for item in before}


async def test_the_currency_can_change_when_every_item_is_replaced(database: Database) -> None:
    await load(database, [an_item("A"), an_item("B")], ignore)
    swiss = [an_item("A", currency="CHF"), an_item("B", currency="CHF")]
    await load(database, swiss, ignore)
    assert await held(database) == {item.sku: item for item in swiss}


async def test_loading_if_empty_happens_once_however_many_try_at_once(database: Database) -> None:
    await asyncio.gather(
        *(load_if_empty(database, [an_item("A", name=f"by {number}")]) for number in range(5))
    )
    await load_if_empty(database, [an_item("B")])
    assert (await held(database)).keys() == {"A"}


async def test_a_catalogue_in_any_order_can_be_loaded_while_stock_is_reserved(
    database: Database,
) -> None:
    """Both lock the same items; taking them in different orders would be a deadlock."""
    skus = [f"SKU-{number:03}" for number in range(200)]
    await load(database, [an_item(sku, stock=1000) for sku in skus], ignore)
    backwards = [an_item(sku, stock=1000) for sku in reversed(skus)]
    inventory = Inventory(database)

    async def reserve(number: int) -> None:
        lines = tuple(StockLine(sku=sku, quantity=1) for sku in skus)
        await inventory.reserve_stock(ReserveStockRequest(reservation_id=f"r{number}", lines=lines))

    await asyncio.gather(
        *(reserve(number) for number in range(4)),
        *(load(database, backwards, ignore) for _ in range(4)),
    )


async def test_while_words_are_written_nothing_is_seen_and_stock_can_be_reserved(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.CHUNK", 2)
    before = [an_item(f"SKU-{number}", name="old") for number in range(7)]
    await load(database, before, ignore)
    parts = 0
    announce = SearchIndex.announce

    async def note(self: SearchIndex, lines: Mapping[str, str]) -> dict[str, str]:
        nonlocal parts
        if parts:
            # The transaction of the part before has ended.
            assert not await search(database, ("new",), "", 10)
        parts += 1
        return await announce(self, lines)

    monkeypatch.setattr(SearchIndex, "announce", note)
    reserving: list[asyncio.Task[object]] = []

    def reserve(_: int) -> None:
        """Begin when the words of one part are written."""
        lines = (StockLine(sku=f"SKU-{parts}", quantity=1),)
        request = ReserveStockRequest(reservation_id=f"r{parts}", lines=lines)
        reserving.append(asyncio.create_task(Inventory(database).reserve_stock(request)))

    await load(database, [an_item(item.sku, name="new") for item in before], reserve)
    await asyncio.gather(*reserving)
    assert parts == 4
    assert len(await search(database, ("new",), "", 10)) == 7
    assert not await search(database, ("old",), "", 10)


async def test_words_that_another_import_has_removed_meanwhile_are_found_again(
    database: Database,
) -> None:
    await load(database, [an_item("A", name="alpha")], ignore)
    lines = searched_lines([an_item("A", name="alpha gamma")])
    async with database.transaction() as transaction:
        seen = await SearchIndex(transaction).announce(lines)
    await load(database, [an_item("A", name="beta")], ignore)
    async with database.transaction() as transaction:
        await SearchIndex(transaction).put(lines, dict(seen))
        await ItemRepository(transaction).put_rows([an_item("A", name="alpha gamma")])
    assert [item.sku for item in await search(database, ("alpha", "gamma"), "", 10)] == ["A"]
