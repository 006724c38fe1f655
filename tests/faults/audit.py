"""What must hold once everything has come to rest, whatever has gone wrong before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.customers import Purchase

CONFIRMED = "ORDER_STATE_CONFIRMED"


@dataclass(frozen=True)
class Books:
    """What is known at the end.

    Attributes:
        purchases: what customers did.
        orders: every order of the shop, by id.
        money: minor units that the payment provider holds, by payment id.
        stock_before: units of each item before anybody bought.
        stock_after: units of each item now.
        reserved: units of each item that reservations hold now, by reservation id.
        carts: what each cart holds now, by id.
        undelivered: events that have not reached their subscribers, and dead letters.
    """

    purchases: Sequence[Purchase]
    orders: Mapping[str, Mapping[str, Any]]
    money: Mapping[str, int]
    stock_before: Mapping[str, int]
    stock_after: Mapping[str, int]
    reserved: Mapping[str, Mapping[str, int]]
    carts: Mapping[str, Mapping[str, int]]
    undelivered: Sequence[str]


def audit(books: Books) -> list[str]:
    """Everything that is wrong; nothing when all is well."""
    return [
        *_orders(books),
        *_money(books),
        *_stock(books),
        *_carts(books),
        *(f"not delivered: {event}" for event in books.undelivered),
    ]


def _orders(books: Books) -> Iterable[str]:
    told = {order_id for purchase in books.purchases for order_id in purchase.orders.values()}
    for order_id in told - set(books.orders):
        yield f"order {order_id}, which a customer was told of, is lost"
    for purchase in books.purchases:
        confirmed = [
            order_id
            for order_id in set(purchase.orders.values())
            if _is_confirmed(books.orders.get(order_id, {}))
        ]
        if len(confirmed) > 1:
            yield f"cart {purchase.cart_id} was sold twice, as {confirmed}"
        for order_id in set(purchase.orders.values()) & set(books.orders):
            lines = _lines(books.orders[order_id])
            if lines != purchase.bought:
                yield f"order {order_id} holds {lines}, and the cart held {purchase.bought}"


def _money(books: Books) -> Iterable[str]:
    for order_id, order in books.orders.items():
        due = int(order["total"]["minorUnits"]) if _is_confirmed(order) else 0
        held = books.money.get(order_id, 0)
        if held != due:
            yield f"order {order_id} is {order['state']}: {due} is due, and {held} is held"
    for payment_id, held in books.money.items():
        if payment_id not in books.orders and held:
            yield f"{held} is held for {payment_id}, which is no order"


def _stock(books: Books) -> Iterable[str]:
    sold: Counter[str] = Counter()
    for order in books.orders.values():
        if _is_confirmed(order):
            sold.update(_lines(order))
    for sku, before in books.stock_before.items():
        after = books.stock_after[sku]
        if after < 0:
            yield f"{sku} was oversold: {after}"
        if before != after + sold[sku]:
            yield f"{sku}: {before} before, {after} now, {sold[sku]} sold"
    for order_id, order in books.orders.items():
        expected = _lines(order) if _is_confirmed(order) else {}
        held = dict(books.reserved.get(order_id, {}))
        if held != expected:
            yield f"order {order_id} is {order['state']} and reserves {held}, not {expected}"
    for reservation_id in books.reserved.keys() - books.orders.keys():
        yield f"reservation {reservation_id} is of no order"


def _carts(books: Books) -> Iterable[str]:
    for purchase in books.purchases:
        sold = any(
            _is_confirmed(books.orders.get(order_id, {})) or _was_confirmed(books, order_id)
            for order_id in purchase.orders.values()
        )
        expected = purchase.added if sold else {**purchase.bought, **purchase.added}
        held = dict(books.carts[purchase.cart_id])
        if held != expected:
            yield f"cart {purchase.cart_id} holds {held}; expected {expected}, sold: {sold}"


def _is_confirmed(order: Mapping[str, Any]) -> bool:
    return order.get("state") == CONFIRMED


def _was_confirmed(books: Books, order_id: str) -> bool:
    """Whether an order that is cancelled now had been confirmed, and its cart emptied."""
    timeline = books.orders.get(order_id, {}).get("timeline", [])
    return any(entry["event"] == "ORDER_EVENT_CONFIRMED" for entry in timeline)


def _lines(order: Mapping[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in order["lines"]}
