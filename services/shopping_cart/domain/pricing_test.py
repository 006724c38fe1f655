from __future__ import annotations

import pytest
from contract.v1.money import Money
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.records.messagebus import StockItem
from services.shopping_cart.domain.pricing import priced
from services.shopping_cart.records.api import Availability, Cart, CartLine
from services.shopping_cart.records.messagebus import CartContents, CartItem


def euros(minor_units: int) -> Money:
    return Money(currency_code="EUR", minor_units=minor_units)


def contents(**quantities: int) -> CartContents:
    items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in quantities.items())
    return CartContents(cart_id="cart", items=items, revision=0, orders_taken=0)


def on_sale(sku: str, *, price: Money, available: int = 100) -> dict[str, StockItem]:
    return {sku: StockItem(sku=sku, name=f"Item {sku}", price=price, available=available)}


def test_an_empty_cart_has_no_lines_and_no_total() -> None:
    assert priced(contents(), {}) == Cart(cart_id="cart", lines=(), total=None)


def test_a_line_shows_name_price_total_and_stock_of_this_moment() -> None:
    cart = priced(contents(A=3), on_sale("A", price=euros(250), available=7))
    assert cart == Cart(
        cart_id="cart",
        lines=(
            CartLine(
                sku="A",
                quantity=3,
                name="Item A",
                unit_price=euros(250),
                line_total=euros(750),
                availability=Availability.IN_STOCK,
                available=7,
            ),
        ),
        total=euros(750),
    )


def test_lines_keep_the_order_of_the_cart() -> None:
    items = {**on_sale("A", price=euros(1)), **on_sale("B", price=euros(2))}
    assert [line.sku for line in priced(contents(B=1, A=1), items).lines] == ["B", "A"]


@pytest.mark.parametrize(
    ("quantity", "available", "availability"),
    [
        (1, 1, Availability.IN_STOCK),
        (3, 100, Availability.IN_STOCK),
        (2, 1, Availability.TOO_FEW),
        (999, 998, Availability.TOO_FEW),
        (1, 0, Availability.OUT_OF_STOCK),
        (999, 0, Availability.OUT_OF_STOCK),
    ],
)
def test_availability_says_whether_the_stock_covers_the_quantity(
    quantity: int, available: int, availability: Availability
) -> None:
    (line,) = priced(contents(A=quantity), on_sale("A", price=euros(1), available=available)).lines
    assert (line.availability, line.available) == (availability, available)


def test_what_is_short_or_out_of_stock_keeps_its_price_and_counts() -> None:
    cart = priced(contents(A=2), on_sale("A", price=euros(300), available=0))
    assert cart.total == euros(600)


def test_an_item_that_is_no_longer_sold_has_a_line_without_prices() -> None:
    cart = priced(contents(A=2, GONE=1), on_sale("A", price=euros(300)))
    assert cart.lines[1] == CartLine(
        sku="GONE",
        quantity=1,
        name="",
        unit_price=None,
        line_total=None,
        availability=Availability.DISCONTINUED,
        available=0,
    )
    assert cart.total == euros(600)


def test_a_cart_of_which_nothing_is_sold_any_more_has_no_total() -> None:
    assert priced(contents(GONE=1, LOST=2), {}).total is None


def test_free_items_make_a_total_of_nothing_which_is_not_no_total() -> None:
    assert priced(contents(A=2), on_sale("A", price=euros(0))).total == euros(0)


def test_prices_in_two_currencies_cannot_be_added() -> None:
    items = {
        **on_sale("A", price=euros(1)),
        **on_sale("B", price=Money(currency_code="CHF", minor_units=1)),
    }
    with pytest.raises(ValueError, match="prices in several currencies: CHF, EUR"):
        priced(contents(A=1, B=1), items)


def test_the_largest_cart_has_a_total_that_fits_the_contract() -> None:
    skus = [f"SKU-{number}" for number in range(200)]
    items = {
        sku: StockItem(sku=sku, name=sku, price=euros(10**12), available=10**9) for sku in skus
    }
    total = priced(contents(**dict.fromkeys(skus, 999)), items).total
    assert total is not None
    assert total.minor_units == 200 * 999 * 10**12 < 2**63


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.tuples(st.integers(1, 999), st.none() | st.integers(0, 10**12), st.integers(0, 10**9)),
        max_size=10,
    )
)
def test_the_total_is_the_sum_of_quantity_times_price_of_what_is_sold(
    lines: dict[str, tuple[int, int | None, int]],
) -> None:
    items = {
        sku: StockItem(sku=sku, name=sku, price=euros(price), available=available)
        for sku, (_, price, available) in lines.items()
        if price is not None
    }
    cart = priced(contents(**{sku: quantity for sku, (quantity, _, _) in lines.items()}), items)
    sold = [quantity * price for quantity, price, _ in lines.values() if price is not None]
    assert cart.total == (euros(sum(sold)) if sold else None)
    assert len(cart.lines) == len(lines)
