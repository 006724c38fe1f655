from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from seam.persistence import Database
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.records.messagebus import CartContents, CartItem


@pytest.fixture
async def carts(database: Database) -> Database:
    """A database with the empty carts `mine` and `yours`."""
    async with database.transaction() as transaction:
        repository = CartRepository(transaction)
        await repository.add("mine")
        await repository.add("yours")
    return database


async def find(database: Database, cart_id: str) -> CartContents | None:
    return await CartRepository(database).find(cart_id)


async def put(database: Database, sku: str, quantity: int) -> None:
    async with database.transaction() as transaction:
        repository = CartRepository(transaction)
        await repository.begin_change("mine")
        await repository.set_quantity("mine", sku, quantity)


async def held(database: Database) -> list[tuple[str, int]]:
    contents = await find(database, "mine")
    assert contents is not None
    return [(item.sku, item.quantity) for item in contents.items]


async def test_a_new_cart_is_found_and_empty(carts: Database) -> None:
    assert await find(carts, "mine") == CartContents(
        cart_id="mine", items=(), revision=0, orders_taken=0
    )


@pytest.mark.parametrize("cart_id", ["", "nobody's", "MINE", "mine ", "mine\0"])
async def test_only_the_exact_identity_finds_a_cart(carts: Database, cart_id: str) -> None:
    assert await find(carts, cart_id) is None


async def test_an_identity_can_be_given_once(carts: Database) -> None:
    with pytest.raises(IntegrityError):
        async with carts.transaction() as transaction:
            await CartRepository(transaction).add("mine")


async def test_items_keep_the_order_in_which_they_came(carts: Database) -> None:
    for sku in ("B", "C", "A"):
        await put(carts, sku, 1)
    await put(carts, "B", 5)
    assert await held(carts) == [("B", 5), ("C", 1), ("A", 1)]


async def test_an_item_that_left_and_came_back_is_the_last(carts: Database) -> None:
    for sku in ("A", "B", "C"):
        await put(carts, sku, 1)
    async with carts.transaction() as transaction:
        await CartRepository(transaction).remove("mine", "A")
    await put(carts, "A", 2)
    assert await held(carts) == [("B", 1), ("C", 1), ("A", 2)]


async def test_items_of_one_cart_are_not_in_another(carts: Database) -> None:
    await put(carts, "A", 1)
    assert await find(carts, "yours") == CartContents(
        cart_id="yours", items=(), revision=0, orders_taken=0
    )
    async with carts.transaction() as transaction:
        await CartRepository(transaction).remove("yours", "A")
    assert await held(carts) == [("A", 1)]


@pytest.mark.parametrize("sku", ["A", "B", "", "A\0"])
async def test_removing_leaves_the_other_items_whether_or_not_it_was_there(
    carts: Database, sku: str
) -> None:
    await put(carts, "A", 1)
    await put(carts, "C", 3)
    async with carts.transaction() as transaction:
        await CartRepository(transaction).remove("mine", sku)
    assert await held(carts) == [item for item in [("A", 1), ("C", 3)] if item[0] != sku]


async def test_a_change_is_counted_and_gives_what_the_cart_held(carts: Database) -> None:
    await put(carts, "A", 4)
    async with carts.transaction() as transaction:
        repository = CartRepository(transaction)
        assert await repository.begin_change("mine") == CartContents(
            cart_id="mine", items=(CartItem(sku="A", quantity=4),), revision=2, orders_taken=0
        )
        assert await repository.begin_change("nobody's") is None


@pytest.mark.parametrize("changes", [0, 1, 2])
async def test_a_change_of_a_cart_that_was_read_gives_what_it_holds_now(
    carts: Database, changes: int
) -> None:
    await put(carts, "A", 4)
    seen = await find(carts, "mine")
    assert seen is not None
    for number in range(changes):
        await put(carts, "B", number + 1)
    now = await find(carts, "mine")
    assert now is not None
    async with carts.transaction() as transaction:
        held = await CartRepository(transaction).begin_change_since(seen)
    assert held == CartContents(
        cart_id="mine", items=now.items, revision=now.revision + 1, orders_taken=0
    )
    assert await find(carts, "mine") == held


async def test_a_cart_that_is_not_there_is_not_changed(carts: Database) -> None:
    async with carts.transaction() as transaction:
        gone = CartContents(cart_id="nobody's", items=(), revision=0, orders_taken=0)
        assert await CartRepository(transaction).begin_change_since(gone) is None


async def test_changes_are_undone_with_their_transaction(carts: Database) -> None:
    await put(carts, "A", 1)

    async def fail() -> None:
        async with carts.transaction() as transaction:
            repository = CartRepository(transaction)
            await repository.begin_change("mine")
            await repository.set_quantity("mine", "A", 9)
            await repository.set_quantity("mine", "B", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    found = await find(carts, "mine")
    items = (CartItem(sku="A", quantity=1),)
    assert found == CartContents(cart_id="mine", items=items, revision=1, orders_taken=0)


@pytest.mark.parametrize("quantity", [0, -1])
async def test_the_database_itself_refuses_a_quantity_below_one(
    carts: Database, quantity: int
) -> None:
    with pytest.raises(IntegrityError, match="quantity_is_positive"):
        await put(carts, "A", quantity)


async def test_an_item_needs_a_cart(carts: Database) -> None:
    with pytest.raises(IntegrityError):
        async with carts.transaction() as transaction:
            await CartRepository(transaction).set_quantity("nobody's", "A", 1)


async def test_items_that_are_put_at_the_same_time_all_get_a_place_of_their_own(
    carts: Database,
) -> None:
    skus = [f"SKU-{number}" for number in range(12)]
    await asyncio.gather(*(put(carts, sku, number + 1) for number, sku in enumerate(skus)))
    found = await held(carts)
    assert sorted(found) == sorted((sku, number + 1) for number, sku in enumerate(skus))
    await put(carts, "last", 1)
    assert await held(carts) == [*found, ("last", 1)]


async def test_who_changes_a_cart_waits_for_who_began_before(carts: Database) -> None:
    """Read, think, write: without the lock, increments would be lost."""

    async def increment() -> None:
        async with carts.transaction() as transaction:
            repository = CartRepository(transaction)
            contents = await repository.begin_change("mine")
            assert contents is not None
            quantity = contents.items[0].quantity if contents.items else 0
            await asyncio.sleep(0)
            await repository.set_quantity("mine", "A", quantity + 1)

    await asyncio.gather(*(increment() for _ in range(10)))
    assert await held(carts) == [("A", 10)]
