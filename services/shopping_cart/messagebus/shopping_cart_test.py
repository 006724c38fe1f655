from __future__ import annotations

import pytest

from seam.persistence import Database
from seam.testing import strict_channel
from services.shopping_cart.messagebus.shopping_cart import ShoppingCart
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.records.messagebus import (
    CartContents,
    CartItem,
    GetCartContentsRequest,
    UnknownCart,
    UnknownCartError,
)
from services.shopping_cart.records.messagebus_bus import ShoppingCartStub, register_shopping_cart


@pytest.fixture
async def shopping_cart(database: Database) -> ShoppingCartStub:
    """The shopping cart as other services reach it, with one cart, `mine`."""
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        await carts.add("mine")
        await carts.begin_change("mine")
        await carts.set_quantity("mine", "B", 2)
        await carts.set_quantity("mine", "A", 1)
    channel = strict_channel(register_shopping_cart(ShoppingCart(database)))
    return ShoppingCartStub(channel)


async def test_other_services_read_what_a_cart_holds_in_the_order_in_which_it_came(
    shopping_cart: ShoppingCartStub,
) -> None:
    contents = await shopping_cart.get_cart_contents(GetCartContentsRequest(cart_id="mine"))
    assert contents == CartContents(
        cart_id="mine",
        items=(CartItem(sku="B", quantity=2), CartItem(sku="A", quantity=1)),
        revision=1,
        orders_taken=0,
    )


@pytest.mark.parametrize("cart_id", ["", "yours", "mine\0"])
async def test_an_unknown_cart_is_named(shopping_cart: ShoppingCartStub, cart_id: str) -> None:
    with pytest.raises(UnknownCartError) as caught:
        await shopping_cart.get_cart_contents(GetCartContentsRequest(cart_id=cart_id))
    assert caught.value.record == UnknownCart(cart_id=cart_id)
