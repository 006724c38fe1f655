"""The audit notices what it is there for: each crime is committed on books that balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.audit import Books, audit
from tests.faults.customers import Purchase


def order(order_id: str, state: str, quantity: int) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "state": f"ORDER_STATE_{state}",
        "lines": [{"sku": "A", "quantity": quantity}],
        "total": {"minorUnits": str(100 * quantity)},
        "timeline": [],
    }


BALANCED = Books(
    purchases=(
        Purchase("bought", {"A": 2}, {"B": 1}, {"k1": "o1"}),
        Purchase("refused", {"A": 3}, {}, {"k2": "o2"}),
    ),
    orders={"o1": order("o1", "CONFIRMED", 2), "o2": order("o2", "REJECTED", 3)},
    money={"o1": 200},
    stock_before={"A": 10},
    stock_after={"A": 8},
    reserved={"o1": {"A": 2}},
    carts={"bought": {"B": 1}, "refused": {"A": 3}},
    undelivered=(),
)


def test_books_that_balance_are_right() -> None:
    assert audit(BALANCED) == []


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        (lambda b: replace(b, money={}), "200 is due, and 0 is held"),
        (lambda b: replace(b, money={"o1": 400}), "200 is due, and 400 is held"),
        (lambda b: replace(b, money={"o1": 200, "o2": 300}), "0 is due, and 300 is held"),
        (lambda b: replace(b, money={"o1": 200, "x": 1}), "which is no order"),
        (lambda b: replace(b, stock_after={"A": 7}), "10 before, 7 now, 2 sold"),
        (lambda b: replace(b, stock_after={"A": -1}), "oversold"),
        (lambda b: replace(b, reserved={}), "reserves {}, not {'A': 2}"),
        (lambda b: replace(b, reserved={**b.reserved, "o2": {"A": 3}}), "REJECTED and reserves"),
        (lambda b: replace(b, reserved={**b.reserved, "x": {"A": 3}}), "is of no order"),
        (lambda b: replace(b, carts={**b.carts, "refused": {}}), "cart refused holds {}"),
        (lambda b: replace(b, carts={**b.carts, "bought": {"A": 2, "B": 1}}), "cart bought"),
        (lambda b: replace(b, carts={**b.carts, "bought": {}}), "cart bought holds {}"),
        (lambda b: replace(b, undelivered=("an event",)), "not delivered: an event"),
        (lambda b: replace(b, orders={"o2": b.orders["o2"]}), "order o1"),
    ],
)
def test_each_crime_is_found(crime: Callable[[Books], Books], found: str) -> None:
    assert any(found in each for each in audit(crime(BALANCED)))


def test_a_cart_that_is_sold_twice_is_found() -> None:
    twice = replace(
        BALANCED,
        purchases=(
            Purchase("bought", {"A": 2}, {"B": 1}, {"k1": "o1", "k3": "o3"}),
            BALANCED.purchases[1],
        ),
        orders={**BALANCED.orders, "o3": order("o3", "CONFIRMED", 2)},
    )
    assert any("sold twice" in each for each in audit(twice))
