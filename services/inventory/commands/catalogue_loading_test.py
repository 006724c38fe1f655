from __future__ import annotations

import asyncio
from collections.abc import Sequence

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
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.search import search
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


async def test_between_two_parts_others_have_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.CHUNK", 2)
    before = [an_item(f"SKU-{number}", name="old") for number in range(7)]
    await load(database, before, ignore)
    inventory = Inventory(database)
    done: list[int] = []
    reserving: list[asyncio.Task[None]] = []

    async def reserve(part: int) -> None:
        lines = (StockLine(sku="SKU-6", quantity=1),)
        await inventory.reserve_stock(ReserveStockRequest(reservation_id=f"r{part}", lines=lines))
        done.append(part)

    def written(_: int) -> None:
        part = len(reserving)
        # Who came when the part before was written waits for no more than one part.
        assert len(done) >= part - 1
        reserving.append(asyncio.create_task(reserve(part)))

    # As long as a part may take: on PostgreSQL nobody waits in a line.
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.PAUSE", 0.2)
    await load(database, [an_item(item.sku, name="new") for item in before], written)
    await asyncio.gather(*reserving)
    assert len(done) == 4
    assert len(await search(database, ("new",), "", 10)) == 7
    assert not await search(database, ("old",), "", 10)


@pytest.mark.parametrize("parts", [0, 1, 2])
async def test_an_import_that_is_ended_leaves_whole_parts_and_another_one_completes_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.CHUNK", 3)
    old = [an_item(f"SKU-{number}", name="old") for number in range(8)]
    new = [an_item(f"SKU-{number}", name="new", stock=3) for number in range(8)]
    await load(database, old, ignore)
    put, begun = ItemRepository.put, 0

    async def fail(self: ItemRepository, items: Sequence[Item]) -> None:
        nonlocal begun
        begun += 1
        await put(self, items)
        if begun > parts:
            raise ZeroDivisionError

    written: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(ItemRepository, "put", fail)
        with pytest.raises(ZeroDivisionError):
            await load(database, new, written.append)
    count = 3 * parts
    assert sum(written) == count
    assert list((await held(database)).values()) == new[:count] + old[count:]
    assert await search(database, ("new",), "", 10) == tuple(new[:count])
    assert await search(database, ("old",), "", 10) == tuple(old[count:])
    for _ in range(2):
        await load(database, new, ignore)
        assert list((await held(database)).values()) == new
        assert not await search(database, ("old",), "", 10)


async def test_a_currency_that_another_import_changes_meanwhile_ends_this_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.CHUNK", 1)
    changing: list[asyncio.Task[None]] = []

    def change(_: int) -> None:
        swiss = [an_item("A", currency="CHF")]
        changing.append(asyncio.create_task(load(database, swiss, ignore)))

    monkeypatch.setattr("services.inventory.commands.catalogue_loading.PAUSE", 0.2)
    with pytest.raises(OtherCurrencyError, match=r"be CHF \(as of 'A'\), EUR \(as of 'B'\)"):
        await load(database, [an_item("A"), an_item("B")], change)
    await asyncio.gather(*changing)
    assert await held(database) == {"A": an_item("A", currency="CHF")}


async def test_items_that_several_import_at_once_are_found_by_all_of_their_words(
    database: Database,
) -> None:
    names = ("alpha beta", "beta gamma", "gamma alpha", "alpha")
    for _ in range(5):
        await asyncio.gather(
            *(
                load(database, [an_item(f"S{n}", name=name) for n in range(20)], ignore)
                for name in names
            )
        )
        for item in (await held(database)).values():
            found = await search(database, [item.sku.lower(), *item.name.split()], "", 1)
            assert found == (item,)
