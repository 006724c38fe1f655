from __future__ import annotations

from services.shopping_cart.domain.contents import MAXIMUM_LINES, has_room, with_quantity
from services.shopping_cart.records.messagebus import CartContents, CartItem


def cart(**quantities: int) -> CartContents:
    items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in quantities.items())
    return CartContents(cart_id="mine", items=items)


def test_an_item_that_the_cart_holds_keeps_its_place() -> None:
    assert with_quantity(cart(A=1, B=2, C=3), "B", 9) == cart(A=1, B=9, C=3)


def test_a_quantity_that_is_set_again_changes_nothing() -> None:
    assert with_quantity(cart(A=1, B=2), "A", 1) == cart(A=1, B=2)


def test_a_new_item_comes_last() -> None:
    assert with_quantity(cart(), "A", 1) == cart(A=1)
    assert with_quantity(cart(B=1), "A", 1) == cart(B=1, A=1)


def test_a_full_cart_has_room_for_what_it_holds_alone() -> None:
    full = cart(**{f"SKU{number}": 1 for number in range(MAXIMUM_LINES)})
    assert has_room(full, "SKU0")
    assert not has_room(full, "A")
    nearly_full = CartContents(cart_id="mine", items=full.items[1:])
    assert has_room(nearly_full, "A")
