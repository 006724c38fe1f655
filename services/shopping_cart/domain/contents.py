"""What a cart may hold, and what it holds after a change."""

from __future__ import annotations

from typing import Final

from services.shopping_cart.records.messagebus import CartContents, CartItem

MAXIMUM_QUANTITY: Final = 999
MAXIMUM_LINES: Final = 200


def has_room(contents: CartContents, sku: str) -> bool:
    """Whether a cart holds an item already or can take one more."""
    held = {item.sku for item in contents.items}
    return sku in held or len(held) < MAXIMUM_LINES


def with_quantity(contents: CartContents, sku: str, quantity: int) -> CartContents:
    """A cart in which an item has a quantity: in its place, or last when it is new."""
    changed = CartItem(sku=sku, quantity=quantity)
    items = tuple(changed if item.sku == sku else item for item in contents.items)
    if changed not in items:
        items = (*items, changed)
    return CartContents(cart_id=contents.cart_id, items=items)
