"""A confirmed order takes what was ordered out of its cart, and nothing else does."""

from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed
from services.shopping_cart.messagebus.ordered_items import take_ordered_items
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.records.messagebus import CartContents


def confirmed(cart_id: str, **quantities: int) -> OrderConfirmed:
    return OrderConfirmed(
        order_id="1",
        cart_id=cart_id,
        cart_revision=1,
        lines=tuple(ConfirmedLine(sku=sku, quantity=each) for sku, each in quantities.items()),
        total=Money(currency_code="EUR", minor_units=100),
    )


def _counts(contents: CartContents) -> tuple[int, int]:
    return contents.revision, contents.orders_taken


async def left(database: Database, event: OrderConfirmed) -> tuple[dict[str, int], int, int]:
    """What the cart `mine`, with 2 of A, 3 of B and 1 of C, holds after an event.

    Its revision comes second, and the number of orders that it counts third.
    """
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        await carts.add("mine")
        await carts.begin_change("mine")
        for sku, quantity in (("A", 2), ("B", 3), ("C", 1)):
            await carts.set_quantity("mine", sku, quantity)
    async with database.transaction() as transaction:
        await take_ordered_items(event, transaction)
    contents = await CartRepository(database).find("mine")
    assert contents is not None
    return {item.sku: item.quantity for item in contents.items}, *_counts(contents)


@pytest.mark.parametrize(
    ("ordered", "expected"),
    [
        ({"A": 2, "B": 3, "C": 1}, {}),
        # More was put in since.
        ({"A": 1, "B": 3}, {"A": 1, "C": 1}),
        # Some was taken out since.
        ({"A": 5, "D": 1}, {"B": 3, "C": 1}),
    ],
)
async def test_what_was_ordered_leaves_the_cart_and_what_came_since_stays(
    database: Database, ordered: dict[str, int], expected: dict[str, int]
) -> None:
    assert await left(database, confirmed("mine", **ordered)) == (expected, 2, 1)


async def test_an_order_of_a_cart_that_is_gone_changes_nothing(database: Database) -> None:
    assert await left(database, confirmed("gone", A=2)) == ({"A": 2, "B": 3, "C": 1}, 1, 0)
