from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from contract.v1.money import Money
from sqlalchemy import delete

from seam.contract.errors import Code, StatusError
from seam.persistence import Command, Database
from seam.testing import strict_channel
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    StockItem,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.shopping_cart.api.shopping_cart_api import ShoppingCartApi
from services.shopping_cart.domain.contents import MAXIMUM_LINES
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.persistence.tables import CartRow
from services.shopping_cart.records.api import (
    Availability,
    Cart,
    CartFull,
    CartFullError,
    CartLine,
    CartNotFound,
    CartNotFoundError,
    CreateCartRequest,
    GetCartRequest,
    ItemNotFound,
    ItemNotFoundError,
    OutOfStock,
    OutOfStockError,
    QuantityOutOfRange,
    QuantityOutOfRangeError,
    RemoveItemRequest,
    SetItemQuantityRequest,
)
from services.shopping_cart.records.api_bus import ShoppingCartApiStub, register_shopping_cart_api


class Shelf:
    """What the mock of inventory has in stock: number of units by SKU."""

    def __init__(self, **stock: int) -> None:
        self.stock = stock

    def look_up(self, request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        """Answer like inventory: unknown SKUs are left out; everything costs 2.50 EUR."""
        return BatchGetItemsResponse(
            items=tuple(
                StockItem(
                    sku=sku,
                    name=f"Item {sku}",
                    price=Money(currency_code="EUR", minor_units=250),
                    available=self.stock[sku],
                )
                for sku in request.skus
                if sku in self.stock
            )
        )


@pytest.fixture
def shelf() -> Shelf:
    """5 of A, 3 of B and none of C."""
    return Shelf(A=5, B=3, C=0)


@pytest.fixture
def inventory(shelf: Shelf) -> InventoryMock:
    """A mock of inventory that answers from the shelf."""
    mock = InventoryMock()
    mock.batch_get_items.answers(shelf.look_up)
    return mock


@pytest.fixture
def api(database: Database, inventory: InventoryMock) -> ShoppingCartApiStub:
    """The API over a real database and the mock of inventory."""
    api = ShoppingCartApi(database, inventory.stub())
    channel = strict_channel(register_shopping_cart_api(api))
    return ShoppingCartApiStub(channel)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of all statements that any database is asked for."""
    seen: list[str] = []
    compiled = Command.compiled

    def note(self: Command, dialect: str, parameters: Mapping[str, object]) -> Any:
        found = compiled(self, dialect, parameters)
        seen.append(found.sql.split(maxsplit=1)[0])
        return found

    monkeypatch.setattr(Command, "compiled", note)
    return seen


async def put(database: Database, cart_id: str, skus: Iterable[str]) -> None:
    """One of each, past the API and its checks."""
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        for sku in skus:
            await carts.set_quantity(cart_id, sku, 1)


async def new_cart(api: ShoppingCartApiStub) -> str:
    return (await api.create_cart(CreateCartRequest())).cart_id


def setting(cart_id: str, sku: str, quantity: int) -> SetItemQuantityRequest:
    return SetItemQuantityRequest(cart_id=cart_id, sku=sku, quantity=quantity)


async def shown(api: ShoppingCartApiStub, cart_id: str) -> dict[str, int]:
    cart = await api.get_cart(GetCartRequest(cart_id=cart_id))
    return {line.sku: line.quantity for line in cart.lines}


async def test_a_new_cart_is_empty_and_has_an_identity_nobody_can_guess(
    api: ShoppingCartApiStub,
) -> None:
    carts = [await api.create_cart(CreateCartRequest()) for _ in range(3)]
    assert all(cart.lines == () and cart.total is None for cart in carts)
    assert len({uuid.UUID(cart.cart_id) for cart in carts}) == 3
    assert all(uuid.UUID(cart.cart_id).version == 4 for cart in carts)


async def test_setting_a_quantity_shows_the_whole_cart_as_reading_it_does(
    api: ShoppingCartApiStub,
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "B", 1))
    cart = await api.set_item_quantity(setting(cart_id, "A", 2))
    assert cart == await api.get_cart(GetCartRequest(cart_id=cart_id))
    assert [line.sku for line in cart.lines] == ["B", "A"]
    assert cart.lines[1] == CartLine(
        sku="A",
        quantity=2,
        name="Item A",
        unit_price=Money(currency_code="EUR", minor_units=250),
        line_total=Money(currency_code="EUR", minor_units=500),
        availability=Availability.IN_STOCK,
        available=5,
    )
    assert cart.total == Money(currency_code="EUR", minor_units=750)


async def test_a_quantity_is_set_not_added(api: ShoppingCartApiStub) -> None:
    cart_id = await new_cart(api)
    for quantity in (2, 5, 5, 1):
        await api.set_item_quantity(setting(cart_id, "A", quantity))
        assert await shown(api, cart_id) == {"A": quantity}


async def test_what_changes_nothing_counts_as_no_change(
    api: ShoppingCartApiStub, database: Database
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 2))
    for _ in range(2):
        await api.set_item_quantity(setting(cart_id, "A", 2))
        await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="B"))
        await api.set_item_quantity(setting(cart_id, "B", 0))
    contents = await CartRepository(database).find(cart_id)
    assert contents is not None
    assert contents.revision == 1


async def test_as_much_as_is_in_stock_may_be_asked_for_and_no_more(
    api: ShoppingCartApiStub,
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 5))
    with pytest.raises(OutOfStockError) as caught:
        await api.set_item_quantity(setting(cart_id, "A", 6))
    assert caught.value.record == OutOfStock(sku="A", requested=6, available=5)
    with pytest.raises(OutOfStockError):
        await api.set_item_quantity(setting(cart_id, "C", 1))
    assert await shown(api, cart_id) == {"A": 5}


@pytest.mark.parametrize("sku", ["nothing", "", "a", "A\0"])
async def test_an_item_that_the_shop_does_not_sell_is_refused(
    api: ShoppingCartApiStub, sku: str
) -> None:
    cart_id = await new_cart(api)
    with pytest.raises(ItemNotFoundError) as caught:
        await api.set_item_quantity(setting(cart_id, sku, 1))
    assert caught.value.record == ItemNotFound(sku=sku)
    assert await shown(api, cart_id) == {}


@pytest.mark.parametrize("quantity", [-1, 1000, 2**31 - 1, -(2**31)])
async def test_a_quantity_out_of_range_is_refused_before_inventory_is_asked(
    api: ShoppingCartApiStub, inventory: InventoryMock, quantity: int
) -> None:
    cart_id = await new_cart(api)
    with pytest.raises(QuantityOutOfRangeError) as caught:
        await api.set_item_quantity(setting(cart_id, "A", quantity))
    assert caught.value.record == QuantityOutOfRange(quantity=quantity, maximum=999)
    assert inventory.batch_get_items.requests == []


async def test_the_largest_quantity_can_be_set(api: ShoppingCartApiStub, shelf: Shelf) -> None:
    shelf.stock["A"] = 999
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 999))
    assert await shown(api, cart_id) == {"A": 999}


@pytest.mark.parametrize("sku", ["A", "C", "nothing", "A\0"])
async def test_a_quantity_of_0_removes_whatever_inventory_knows_of_the_item(
    api: ShoppingCartApiStub, sku: str
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 1))
    await api.set_item_quantity(setting(cart_id, "B", 1))
    await api.set_item_quantity(setting(cart_id, sku, 0))
    assert await shown(api, cart_id) == ({"B": 1} if sku == "A" else {"A": 1, "B": 1})


async def test_removing_shows_the_cart_and_may_be_done_again(api: ShoppingCartApiStub) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 1))
    await api.set_item_quantity(setting(cart_id, "B", 2))
    for _ in range(2):
        cart = await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="A"))
        assert [line.sku for line in cart.lines] == ["B"]
    assert cart.total == Money(currency_code="EUR", minor_units=500)


@pytest.mark.parametrize("cart_id", ["", "nobody's", "\0"])
async def test_an_unknown_cart_is_not_found_whatever_is_asked_of_it(
    api: ShoppingCartApiStub, inventory: InventoryMock, cart_id: str
) -> None:
    for answer in (
        api.get_cart(GetCartRequest(cart_id=cart_id)),
        api.set_item_quantity(setting(cart_id, "A", 1)),
        api.set_item_quantity(setting(cart_id, "A", 0)),
        api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="A")),
    ):
        with pytest.raises(CartNotFoundError) as caught:
            await answer
        assert caught.value.record == CartNotFound(cart_id=cart_id)
    assert inventory.batch_get_items.requests == []


async def test_an_empty_cart_is_shown_without_asking_inventory(
    api: ShoppingCartApiStub, inventory: InventoryMock
) -> None:
    cart_id = await new_cart(api)
    assert await api.get_cart(GetCartRequest(cart_id=cart_id)) == Cart(cart_id=cart_id, lines=())
    assert inventory.batch_get_items.requests == []


async def test_every_read_and_write_asks_inventory_once_for_all_items_together(
    api: ShoppingCartApiStub, inventory: InventoryMock, shelf: Shelf
) -> None:
    shelf.stock.update({f"SKU-{number}": 1 for number in range(20)})
    cart_id = await new_cart(api)
    for number in range(20):
        await api.set_item_quantity(setting(cart_id, f"SKU-{number}", 1))
        assert len(inventory.batch_get_items.requests) == number + 1
    await api.get_cart(GetCartRequest(cart_id=cart_id))
    await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="SKU-0"))
    read, removed = inventory.batch_get_items.requests[20:]
    assert sorted(read.skus) == sorted(f"SKU-{number}" for number in range(20))
    assert sorted(removed.skus) == sorted(f"SKU-{number}" for number in range(1, 20))


async def test_a_cart_shows_the_stock_of_the_moment_it_is_read(
    api: ShoppingCartApiStub, shelf: Shelf
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 3))

    async def availability() -> tuple[Availability, int]:
        (line,) = (await api.get_cart(GetCartRequest(cart_id=cart_id))).lines
        return Availability(line.availability), line.available

    assert await availability() == (Availability.IN_STOCK, 5)
    shelf.stock["A"] = 2
    assert await availability() == (Availability.TOO_FEW, 2)
    shelf.stock["A"] = 0
    assert await availability() == (Availability.OUT_OF_STOCK, 0)
    del shelf.stock["A"]
    assert await availability() == (Availability.DISCONTINUED, 0)


async def test_an_item_that_is_no_longer_sold_stays_in_the_cart_without_a_price(
    api: ShoppingCartApiStub, shelf: Shelf
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 1))
    await api.set_item_quantity(setting(cart_id, "B", 1))
    del shelf.stock["A"]
    cart = await api.set_item_quantity(setting(cart_id, "B", 2))
    assert [(line.sku, line.availability) for line in cart.lines] == [
        ("A", Availability.DISCONTINUED),
        ("B", Availability.IN_STOCK),
    ]
    assert cart.lines[0].unit_price is None
    assert cart.total == Money(currency_code="EUR", minor_units=500)
    with pytest.raises(ItemNotFoundError):
        await api.set_item_quantity(setting(cart_id, "A", 2))
    await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="A"))
    assert await shown(api, cart_id) == {"B": 2}


async def test_what_a_cart_holds_is_not_held_back_from_others(api: ShoppingCartApiStub) -> None:
    for _ in range(3):
        await api.set_item_quantity(setting(await new_cart(api), "A", 5))


async def test_a_cart_takes_200_different_items_and_no_more(
    api: ShoppingCartApiStub, shelf: Shelf, database: Database
) -> None:
    skus = [f"SKU-{number:03}" for number in range(MAXIMUM_LINES + 1)]
    shelf.stock.update(dict.fromkeys(skus, 9))
    cart_id = await new_cart(api)
    await put(database, cart_id, skus[: MAXIMUM_LINES - 1])
    await api.set_item_quantity(setting(cart_id, skus[MAXIMUM_LINES - 1], 1))
    with pytest.raises(CartFullError) as caught:
        await api.set_item_quantity(setting(cart_id, skus[-1], 1))
    assert caught.value.record == CartFull(maximum=200)
    assert len(await shown(api, cart_id)) == 200
    await api.set_item_quantity(setting(cart_id, skus[0], 2))
    await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku=skus[1]))
    await api.set_item_quantity(setting(cart_id, skus[-1], 1))
    assert len(await shown(api, cart_id)) == 200


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL])
async def test_when_inventory_fails_the_caller_learns_it_and_the_cart_is_as_it_was(
    api: ShoppingCartApiStub, inventory: InventoryMock, shelf: Shelf, code: Code
) -> None:
    cart_id = await new_cart(api)
    await api.set_item_quantity(setting(cart_id, "A", 1))
    inventory.batch_get_items.raises(StatusError(code, "inventory is not well"))
    for answer in (
        api.set_item_quantity(setting(cart_id, "A", 2)),
        api.set_item_quantity(setting(cart_id, "B", 1)),
        api.get_cart(GetCartRequest(cart_id=cart_id)),
    ):
        with pytest.raises(StatusError) as caught:
            await answer
        assert (caught.value.code, caught.value.message) == (code, "inventory is not well")
    inventory.batch_get_items.answers(shelf.look_up)
    assert await shown(api, cart_id) == {"A": 1}


async def test_an_item_that_came_into_the_cart_meanwhile_is_shown_with_its_price(
    api: ShoppingCartApiStub, inventory: InventoryMock, shelf: Shelf
) -> None:
    """Somebody adds B in another window while inventory is asked for A."""
    cart_id = await new_cart(api)

    async def in_between(request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        inventory.batch_get_items.answers(shelf.look_up)
        await api.set_item_quantity(setting(cart_id, "B", 2))
        return shelf.look_up(request)

    inventory.batch_get_items.answers(in_between)
    cart = await api.set_item_quantity(setting(cart_id, "A", 1))
    assert [(line.sku, line.name) for line in cart.lines] == [("B", "Item B"), ("A", "Item A")]
    assert cart.total == Money(currency_code="EUR", minor_units=750)


async def test_a_cart_that_is_gone_when_it_is_locked_is_not_found(
    api: ShoppingCartApiStub, inventory: InventoryMock, shelf: Shelf, database: Database
) -> None:
    cart_id = await new_cart(api)

    async def in_between(request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        await database.execute(Command(delete(CartRow)))
        return shelf.look_up(request)

    inventory.batch_get_items.answers(in_between)
    with pytest.raises(CartNotFoundError) as caught:
        await api.set_item_quantity(setting(cart_id, "A", 1))
    assert caught.value.record == CartNotFound(cart_id=cart_id)


async def test_a_change_reads_once_locks_once_and_writes_once(
    api: ShoppingCartApiStub, shelf: Shelf, statements: list[str]
) -> None:
    """However much the cart holds."""
    shelf.stock.update({f"SKU-{number}": 9 for number in range(30)})
    cart_id = await new_cart(api)
    for number in range(30):
        await api.set_item_quantity(setting(cart_id, f"SKU-{number}", 1))
    statements.clear()
    await api.set_item_quantity(setting(cart_id, "A", 1))
    # What to ask inventory for is read before the lock: nothing is locked during a call.
    assert statements == ["SELECT", "UPDATE", "INSERT"]
    statements.clear()
    await api.remove_item(RemoveItemRequest(cart_id=cart_id, sku="A"))
    assert statements == ["SELECT", "UPDATE", "DELETE"]
    statements.clear()
    await api.get_cart(GetCartRequest(cart_id=cart_id))
    assert statements == ["SELECT"]


async def test_items_that_are_set_at_the_same_time_are_all_in_the_cart(
    api: ShoppingCartApiStub, shelf: Shelf
) -> None:
    skus = [f"SKU-{number:02}" for number in range(12)]
    shelf.stock.update(dict.fromkeys(skus, 9))
    cart_id = await new_cart(api)
    await asyncio.gather(*(api.set_item_quantity(setting(cart_id, sku, 2)) for sku in skus))
    assert await shown(api, cart_id) == dict.fromkeys(skus, 2)


async def test_the_last_place_in_a_cart_goes_to_one_of_those_who_want_it_at_the_same_time(
    api: ShoppingCartApiStub, shelf: Shelf, database: Database
) -> None:
    skus = [f"SKU-{number:03}" for number in range(MAXIMUM_LINES + 3)]
    shelf.stock.update(dict.fromkeys(skus, 9))
    cart_id = await new_cart(api)
    await put(database, cart_id, skus[: MAXIMUM_LINES - 1])
    outcomes = await asyncio.gather(
        *(api.set_item_quantity(setting(cart_id, sku, 1)) for sku in skus[MAXIMUM_LINES - 1 :]),
        return_exceptions=True,
    )
    assert (
        sorted(type(outcome).__name__ for outcome in outcomes) == ["Cart"] + ["CartFullError"] * 3
    )
    assert len(await shown(api, cart_id)) == MAXIMUM_LINES
