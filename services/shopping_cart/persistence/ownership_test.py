"""A cart of nobody belongs to the first who is signed in and reaches it, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from contract.v1.money import Money

from seam.persistence import Database, open_database
from seam.testing import signed_in
from services.authentication.records.messagebus import UserDeleted
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed
from services.shopping_cart.messagebus.deleted_users import delete_their_carts
from services.shopping_cart.messagebus.ordered_items import take_ordered_items
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.persistence.tables import Table
from services.shopping_cart.records.messagebus import CartContents

Reach = Callable[[Database, str], Awaitable[CartContents | None]]


async def find(database: Database, cart_id: str) -> CartContents | None:
    return await CartRepository(database).find(cart_id)


async def change(database: Database, cart_id: str) -> CartContents | None:
    async with database.transaction() as transaction:
        return await CartRepository(transaction).begin_change(cart_id)


async def change_since(database: Database, cart_id: str) -> CartContents | None:
    seen = CartContents(cart_id=cart_id, items=(), revision=0, orders_taken=0)
    async with database.transaction() as transaction:
        return await CartRepository(transaction).begin_change_since(seen)


WAYS = pytest.mark.parametrize("reach", [find, change, change_since])


async def add(database: Database, cart_id: str, subject: str) -> None:
    with signed_in(subject):
        await CartRepository(database).add(cart_id)


async def is_found(database: Database, cart_id: str, subject: str, reach: Reach = find) -> bool:
    with signed_in(subject):
        return await reach(database, cart_id) is not None


@WAYS
@pytest.mark.parametrize("other", ["bob", "", "ANN", "ann\0", "a" * 300])
async def test_a_cart_is_its_owner_s_alone(database: Database, reach: Reach, other: str) -> None:
    await add(database, "hers", "ann")
    assert not await is_found(database, "hers", other, reach)
    assert await is_found(database, "hers", "ann", reach)


@WAYS
async def test_a_cart_of_nobody_is_reached_until_somebody_takes_it_over(
    database: Database, reach: Reach
) -> None:
    await add(database, "cart", "")
    assert await is_found(database, "cart", "", reach)
    assert await is_found(database, "cart", "", reach)
    assert await is_found(database, "cart", "ann", reach)
    for other in ("", "bob"):
        assert not await is_found(database, "cart", other, reach)
    assert await is_found(database, "cart", "ann", reach)


@WAYS
async def test_of_many_who_reach_a_cart_of_nobody_at_once_one_has_it(
    database: Database, database_url: str, reach: Reach
) -> None:
    await add(database, "cart", "")
    people = [f"customer {number}" for number in range(12)]
    # As in two processes.
    async with open_database(database_url, Table.metadata) as other:
        found = await asyncio.gather(
            *(
                is_found((database, other)[number % 2], "cart", subject, reach)
                for number, subject in enumerate(people)
            )
        )
    assert found.count(True) == 1
    owner = people[found.index(True)]
    for subject in ("", *people):
        assert await is_found(database, "cart", subject) is (subject == owner)


async def test_calls_of_one_who_takes_a_cart_over_all_reach_it(database: Database) -> None:
    await add(database, "cart", "")
    found = await asyncio.gather(*(is_found(database, "cart", "ann") for _ in range(8)))
    assert found == [True] * 8


async def test_what_was_ordered_leaves_a_cart_whoever_its_owner_is(database: Database) -> None:
    for cart_id, subject in (("hers", "ann"), ("nobody's", "")):
        await add(database, cart_id, subject)
        with signed_in(subject):
            async with database.transaction() as transaction:
                carts = CartRepository(transaction)
                await carts.begin_change(cart_id)
                await carts.set_quantity(cart_id, "A", 2)
        event = OrderConfirmed(
            order_id="1",
            cart_id=cart_id,
            cart_revision=1,
            lines=(ConfirmedLine(sku="A", quantity=2),),
            total=Money(currency_code="EUR", minor_units=100),
        )
        async with database.transaction() as transaction:
            await take_ordered_items(event, transaction)
        with signed_in(subject):
            contents = await find(database, cart_id)
        assert contents is not None
        assert (contents.items, contents.orders_taken) == ((), 1)
    # That it was ordered is no reason to belong to somebody.
    assert await is_found(database, "nobody's", "bob")


async def test_who_has_left_leaves_no_carts(database: Database) -> None:
    for cart_id, subject in (("1", "ann"), ("2", "ann"), ("3", "bob"), ("4", "")):
        await add(database, cart_id, subject)
        with signed_in(subject):
            async with database.transaction() as transaction:
                carts = CartRepository(transaction)
                await carts.begin_change(cart_id)
                await carts.set_quantity(cart_id, "A", 1)
    for _ in range(2):
        async with database.transaction() as transaction:
            await delete_their_carts(UserDeleted(user_id="ann"), transaction)
    for cart_id, subject, expected in (
        ("1", "ann", False),
        ("2", "ann", False),
        ("3", "bob", True),
        ("4", "", True),
    ):
        assert await is_found(database, cart_id, subject) is expected
