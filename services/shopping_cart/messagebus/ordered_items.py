"""Takes out of carts what was ordered from them."""

from __future__ import annotations

from seam.persistence import Transaction
from services.orders.records.messagebus import OrderConfirmed
from services.shopping_cart.domain.contents import left_after
from services.shopping_cart.persistence.carts import CartRepository


async def take_ordered_items(event: OrderConfirmed, transaction: Transaction) -> None:
    """Take the units of a confirmed order out of its cart."""
    carts = CartRepository(transaction)
    contents = await carts.begin_change_of_any(event.cart_id)
    if contents is None:
        return
    await carts.count_order(event.cart_id)
    ordered = {line.sku: line.quantity for line in event.lines}
    for item in left_after(contents, ordered):
        if item.quantity:
            await carts.set_quantity(event.cart_id, item.sku, item.quantity)
        else:
            await carts.remove(event.cart_id, item.sku)
