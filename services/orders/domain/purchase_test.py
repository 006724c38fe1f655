from __future__ import annotations

import msgspec
import pytest
from contract.v1.money import Money

from services.inventory.records.messagebus import StockItem
from services.orders.domain.purchase import Purchase, PurchaseLine, missing, purchase_of
from services.shopping_cart.records.messagebus import CartContents, CartItem


def contents(**quantities: int) -> CartContents:
    items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in quantities.items())
    return CartContents(cart_id="mine", items=items, revision=3, orders_taken=0)


def stock(sku: str, price: int, currency: str = "EUR") -> StockItem:
    money = Money(currency_code=currency, minor_units=price)
    return StockItem(sku=sku, name=f"Item {sku}", price=money, available=1)


ITEMS = {"A": stock("A", 250), "B": stock("B", 1_000)}
PURCHASE = Purchase(
    order_id="1",
    cart_id="mine",
    cart_revision=3,
    currency_code="EUR",
    lines=(
        PurchaseLine(sku="B", name="Item B", quantity=1, unit_price=1_000),
        PurchaseLine(sku="A", name="Item A", quantity=2, unit_price=250),
    ),
)


def test_a_purchase_is_all_that_a_cart_holds_at_the_prices_of_this_moment() -> None:
    assert purchase_of(contents(B=1, A=2), ITEMS, "1") == PURCHASE
    assert PURCHASE.total == 1_500


def test_what_is_not_sold_any_more_is_missing() -> None:
    assert missing(contents(A=1, GONE=1, LOST=2), ITEMS) == ("GONE", "LOST")
    assert missing(contents(A=1), ITEMS) == ()


def test_prices_in_two_currencies_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="prices in several currencies: CHF, EUR"):
        purchase_of(contents(A=1, B=1), {**ITEMS, "B": stock("B", 1, "CHF")}, "1")


def test_a_purchase_that_an_earlier_version_has_stored_is_read() -> None:
    stored = (
        b'{"order_id":"1","cart_id":"mine","cart_revision":3,"currency_code":"EUR","lines":['
        b'{"sku":"B","name":"Item B","quantity":1,"unit_price":1000},'
        b'{"sku":"A","name":"Item A","quantity":2,"unit_price":250}]}'
    )
    assert msgspec.json.decode(stored, type=Purchase) == PURCHASE
