"""What a cart may hold, and what it holds after a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

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
    return replace(contents, items=items)


def without(contents: CartContents, sku: str) -> CartContents:
    """A cart out of which an item was taken."""
    items = tuple(item for item in contents.items if item.sku != sku)
    return replace(contents, items=items)


def quantity_of(contents: CartContents, sku: str) -> int:
    """How many units of an item a cart holds."""
    return next((item.quantity for item in contents.items if item.sku == sku), 0)


def left_after(contents: CartContents, ordered: Mapping[str, int]) -> Iterator[CartItem]:
    """What an order changes in its cart: the items that it takes units of, and what is left.

    What the customer has added since stays; of what is not there any more, nothing is taken.

    Args:
        contents: what the cart holds.
        ordered: how many units were ordered, by SKU.
    """
    for item in contents.items:
        taken = ordered.get(item.sku, 0)
        if taken > 0:
            yield CartItem(sku=item.sku, quantity=max(0, item.quantity - taken))
