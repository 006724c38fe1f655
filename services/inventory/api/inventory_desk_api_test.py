"""The shop's people set the stock of what they have seen, and of nothing else."""

from __future__ import annotations

import asyncio

import pytest
from contract.v1.money import Money
from msgspec.structs import replace
from sqlalchemy import func, select

from seam.contract import Code, StatusError
from seam.persistence import Database, Query
from seam.testing import strict_channel
from services.inventory.api.inventory_desk_api import InventoryDeskApi
from services.inventory.domain.item import MAXIMUM_STOCK
from services.inventory.messagebus.inventory import Inventory
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.tables import Table
from services.inventory.records.api import (
    Category,
    Item,
    ItemNotFound,
    ItemNotFoundError,
    SetStockRequest,
    StockChanged,
    StockChangedError,
)
from services.inventory.records.api_bus import InventoryDeskApiStub, register_inventory_desk_api
from services.inventory.records.messagebus import (
    ReleaseStockRequest,
    ReserveStockRequest,
    StockLine,
)

OUTBOX = Table.metadata.tables["inventory.outbox"]
TOLD = Query(select(func.count()).select_from(OUTBOX), int)

MUG = Item(
    sku="MUG",
    name="Mug",
    description="For tea.",
    category=Category.KITCHEN,
    price=Money(currency_code="EUR", minor_units=990),
    stock=10,
)


@pytest.fixture
async def desk(database: Database) -> InventoryDeskApiStub:
    """The desk over a catalogue with ten mugs and ten cups."""
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put([MUG, replace(MUG, sku="CUP")])
    return InventoryDeskApiStub(
        strict_channel(register_inventory_desk_api(InventoryDeskApi(database)))
    )


async def set_stock(desk: InventoryDeskApiStub, stock: int, expected: int) -> Item:
    return await desk.set_stock(
        SetStockRequest(sku="MUG", stock=stock, expected_stock=expected), timeout=30
    )


async def stock(database: Database, sku: str = "MUG") -> int:
    item = await ItemRepository(database).find(sku)
    assert item is not None
    return item.stock


@pytest.mark.parametrize("units", [0, 7, MAXIMUM_STOCK])
async def test_the_stock_is_set_and_the_item_shown_with_it(
    desk: InventoryDeskApiStub, database: Database, units: int
) -> None:
    shown = await set_stock(desk, units, expected=10)
    assert shown == await ItemRepository(database).find("MUG")
    assert (shown.name, shown.stock) == ("Mug", units)
    assert await stock(database, "CUP") == 10


async def test_setting_what_is_there_already_changes_nothing(
    desk: InventoryDeskApiStub, database: Database
) -> None:
    for _ in range(2):
        assert (await set_stock(desk, 25, expected=10)).stock == 25
    assert await stock(database) == 25


async def test_a_stock_that_is_not_what_was_seen_is_left_as_it_is(
    desk: InventoryDeskApiStub, database: Database
) -> None:
    with pytest.raises(StockChangedError) as refused:
        await set_stock(desk, 25, expected=9)
    assert refused.value.record == StockChanged(sku="MUG", stock=10, expected_stock=9)
    assert await stock(database) == 10


async def test_a_sku_that_nothing_has_is_not_found(desk: InventoryDeskApiStub) -> None:
    with pytest.raises(ItemNotFoundError) as refused:
        await desk.set_stock(SetStockRequest(sku="NO\0PE", stock=1, expected_stock=0))
    assert refused.value.record == ItemNotFound(sku="NO\0PE")


@pytest.mark.parametrize(("units", "expected"), [(-1, 0), (MAXIMUM_STOCK + 1, 0), (1, -1)])
async def test_what_no_stock_can_be_is_refused(
    desk: InventoryDeskApiStub, database: Database, units: int, expected: int
) -> None:
    with pytest.raises(StatusError) as refused:
        await set_stock(desk, units, expected)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert await stock(database) == 10


async def test_nobody_is_told_of_stock_alone(
    desk: InventoryDeskApiStub, database: Database
) -> None:
    before = await database.fetch_one(TOLD)
    await set_stock(desk, 25, expected=10)
    assert await database.fetch_one(TOLD) == before


async def test_of_those_who_set_it_at_once_having_seen_the_same_one_does(
    desk: InventoryDeskApiStub, database: Database
) -> None:
    tries = await asyncio.gather(
        *(set_stock(desk, 100 + each, expected=10) for each in range(5)), return_exceptions=True
    )
    done = [each.stock for each in tries if isinstance(each, Item)]
    assert done == [await stock(database)]
    assert sum(isinstance(each, StockChangedError) for each in tries) == 4


async def test_no_unit_is_lost_or_sold_twice_while_others_buy(
    desk: InventoryDeskApiStub, database: Database
) -> None:
    inventory = Inventory(database)
    line = StockLine(sku="MUG", quantity=1)

    async def buy(number: int) -> int:
        await inventory.reserve_stock(
            ReserveStockRequest(reservation_id=str(number), lines=(line,))
        )
        return -1

    async def add(units: int) -> int:
        seen = await stock(database)
        try:
            await set_stock(desk, seen + units, expected=seen)
        except StockChangedError:
            return 0
        return units

    # Whatever others add, nobody finds that there is already what they want to set.
    changes = await asyncio.gather(
        *(buy(n) for n in range(8)), *(add(100 * 2**n) for n in range(8))
    )
    assert await stock(database) == 10 + sum(changes)
    await inventory.release_stock(ReleaseStockRequest(reservation_id="0"))
    assert await stock(database) == 11 + sum(changes)
