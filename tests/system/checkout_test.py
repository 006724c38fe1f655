"""A customer orders what a cart holds, in every topology: the same steps, the same answers."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.system.business_processes_test import (
    get,
    item_with_stock,
    new_cart,
    pages,
    problem,
    put,
)
from tests.system.topologies import Shop, wait_until


def order(shop: Shop, cart_id: str, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return shop.http.post("/v1/orders", json={"cartId": cart_id}, headers=headers)


def ordered(shop: Shop, cart_id: str, state: str) -> dict[str, Any]:
    """Place an order and wait until it is in a state."""
    response = order(shop, cart_id)
    assert response.status_code == 200, response.text
    return reached(shop, response.json()["orderId"], state)


def reached(shop: Shop, order_id: str, state: str) -> dict[str, Any]:
    wait_until(lambda: bool(get(shop, f"/v1/orders/{order_id}")["state"] != "ORDER_STATE_PENDING"))
    placed = get(shop, f"/v1/orders/{order_id}")
    assert placed["state"] == state, placed
    return placed


def stock(shop: Shop, sku: str) -> int:
    found: int = get(shop, f"/v1/inventory/{sku}")["stock"]
    return found


def lines(shop: Shop, cart_id: str) -> list[tuple[str, int]]:
    cart = get(shop, f"/v1/carts/{cart_id}")
    return [(line["sku"], line["quantity"]) for line in cart["lines"]]


def events(placed: dict[str, Any]) -> list[str]:
    return [entry["event"].removeprefix("ORDER_EVENT_") for entry in placed["timeline"]]


def test_a_customer_orders_a_cart_and_it_is_empty_once_that_is_confirmed(shop: Shop) -> None:
    item = item_with_stock(shop, 5)
    cart_id = new_cart(shop)
    put(shop, cart_id, item["sku"], 3)
    placed = ordered(shop, cart_id, "ORDER_STATE_CONFIRMED")
    assert placed["total"]["minorUnits"] == str(3 * int(item["price"]["minorUnits"]))
    assert events(placed) == ["PLACED", "STOCK_RESERVED", "PAYMENT_TAKEN", "CONFIRMED"]
    assert stock(shop, item["sku"]) == item["stock"] - 3
    wait_until(lambda: lines(shop, cart_id) == [])
    assert problem(order(shop, cart_id), 400)["error"] == "CartEmpty"
    cancelled = shop.http.post(f"/v1/orders/{placed['orderId']}:cancel").json()
    assert cancelled["state"] == "ORDER_STATE_CANCELLED"
    assert stock(shop, item["sku"]) == item["stock"]


def test_the_same_key_is_one_order_and_another_cart_needs_another_key(shop: Shop) -> None:
    item = item_with_stock(shop, 5)
    first, second = new_cart(shop), new_cart(shop)
    for cart_id in (first, second):
        put(shop, cart_id, item["sku"], 1)
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(6) as impatient:
        answers = list(impatient.map(lambda _: order(shop, first, key), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    (order_id,) = {answer.json()["orderId"] for answer in answers}
    assert problem(order(shop, second, key), 409)["error"] == "IdempotencyKeyReused"
    reached(shop, order_id, "ORDER_STATE_CONFIRMED")
    assert stock(shop, item["sku"]) == item["stock"] - 1
    shop.http.post(f"/v1/orders/{order_id}:cancel")


def test_an_order_that_the_stock_does_not_cover_is_rejected_and_the_cart_stays(shop: Shop) -> None:
    item = item_with_stock(shop, 2, most=900)
    cart_id = new_cart(shop)
    put(shop, cart_id, item["sku"], item["stock"])
    others = f"others-{uuid.uuid4()}"
    shop.reserve(others, {item["sku"]: 1})
    placed = ordered(shop, cart_id, "ORDER_STATE_REJECTED")
    assert placed["rejection"]["reason"] == "REJECTION_REASON_OUT_OF_STOCK"
    (short,) = placed["rejection"]["shortItems"]
    assert (short["sku"], short["ordered"], short["available"]) == (
        item["sku"],
        item["stock"],
        item["stock"] - 1,
    )
    assert lines(shop, cart_id) == [(item["sku"], item["stock"])]
    shop.release(others)
    assert stock(shop, item["sku"]) == item["stock"]


def test_no_more_is_sold_than_there_is_to_many_who_order_at_once(shop: Shop) -> None:
    item = next(each for each in pages(shop, pageSize=200) if 6 <= each["stock"] <= 60)
    carts = [new_cart(shop) for _ in range(item["stock"] // 3 + 5)]
    for cart_id in carts:
        put(shop, cart_id, item["sku"], 3)
    with ThreadPoolExecutor(8) as customers:
        placed = [answer.json() for answer in customers.map(lambda cart: order(shop, cart), carts)]
    for each in placed:
        wait_until(
            lambda each=each: (
                get(shop, f"/v1/orders/{each['orderId']}")["state"]  # type: ignore[misc]
                in {"ORDER_STATE_CONFIRMED", "ORDER_STATE_REJECTED"}
            )
        )
    found = [get(shop, f"/v1/orders/{each['orderId']}") for each in placed]
    confirmed = [each for each in found if each["state"] == "ORDER_STATE_CONFIRMED"]
    assert len(confirmed) == item["stock"] // 3
    assert stock(shop, item["sku"]) == item["stock"] % 3
    for each in confirmed:
        shop.http.post(f"/v1/orders/{each['orderId']}:cancel")
    wait_until(lambda: stock(shop, item["sku"]) == item["stock"])
