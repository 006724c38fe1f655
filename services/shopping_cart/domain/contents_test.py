from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.shopping_cart.domain.contents import (
    MAXIMUM_LINES,
    has_room,
    left_after,
    quantity_of,
    with_quantity,
    without,
)
from services.shopping_cart.records.messagebus import CartContents, CartItem


def cart(**quantities: int) -> CartContents:
    items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in quantities.items())
    return CartContents(cart_id="mine", items=items, revision=0, orders_taken=0)


def test_an_item_that_the_cart_holds_keeps_its_place() -> None:
    assert with_quantity(cart(A=1, B=2, C=3), "B", 9) == cart(A=1, B=9, C=3)


def test_a_quantity_that_is_set_again_changes_nothing() -> None:
    assert with_quantity(cart(A=1, B=2), "A", 1) == cart(A=1, B=2)


def test_a_new_item_comes_last() -> None:
    assert with_quantity(cart(), "A", 1) == cart(A=1)
    assert with_quantity(cart(B=1), "A", 1) == cart(B=1, A=1)


def test_an_item_that_is_taken_out_leaves_the_others() -> None:
    assert without(cart(A=1, B=2, C=3), "B") == cart(A=1, C=3)
    assert without(cart(A=1), "B") == cart(A=1)


def test_a_full_cart_has_room_for_what_it_holds_alone() -> None:
    full = cart(**{f"SKU{number}": 1 for number in range(MAXIMUM_LINES)})
    assert has_room(full, "SKU0")
    assert not has_room(full, "A")
    nearly_full = CartContents(cart_id="mine", items=full.items[1:], revision=0, orders_taken=0)
    assert has_room(nearly_full, "A")


def test_a_cart_holds_none_of_what_is_not_in_it() -> None:
    assert quantity_of(cart(A=2, B=1), "A") == 2
    assert quantity_of(cart(A=2), "B") == 0


@given(
    st.dictionaries(st.sampled_from("ABCD"), st.integers(1, 999)),
    st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 999)),
)
def test_an_order_takes_its_units_and_no_others(
    held: dict[str, int], ordered: dict[str, int]
) -> None:
    left = {item.sku: item.quantity for item in left_after(cart(**held), ordered)}
    assert left.keys() == {sku for sku in held if ordered.get(sku)}
    for sku, quantity in left.items():
        assert quantity == max(0, held[sku] - ordered[sku])
