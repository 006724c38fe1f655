"""What the shop's people do at their desk, in every topology; and that nobody else does it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.system.accounts_test import PASSWORD, Person
from tests.system.business_processes_test import get, item_with_stock, new_cart, problem, put
from tests.system.checkout_test import lines, order, ordered
from tests.system.mishaps import broken, hurry, publish_garbled, put_off
from tests.system.topologies import Shop, wait_until
from tests.system.tour import SUBSCRIBERS


class Staff(Person):
    """Somebody who works for the shop."""

    def __init__(self, shop: Shop) -> None:
        """Register at `shop`, be trusted, and log in."""
        super().__init__(shop)
        shop.grant(self.account["email"], "staff")
        account = {"email": self.account["email"], "password": PASSWORD}
        self.tokens = shop.http.post("/v1/authenticate", json=account).json()

    def set_stock(self, sku: str, stock: int, expected: int) -> dict[str, Any]:
        """Set the stock of an item as it was seen."""
        said = {"stock": stock, "expectedStock": expected}
        answer = self.ask("POST", f"/v1/desk/inventory/{sku}:setStock", json=said)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="session")
def staff(shop: Shop) -> Staff:
    """Somebody who works for the shop."""
    return Staff(shop)


def test_nobody_but_the_shop_s_people_sees_or_does_anything_at_the_desk(shop: Shop) -> None:
    customer = Person(shop)
    item = item_with_stock(shop, 1)
    set_stock = ("POST", f"/v1/desk/inventory/{item['sku']}:setStock")
    said = {"stock": 9_999, "expectedStock": item["stock"]}
    asked: list[tuple[str, str]] = [
        ("GET", "/v1/desk/orders:stuck"),
        ("POST", "/v1/desk/orders/1:retry"),
        *(("GET", f"/v1/desk/{service}/deadLetters") for service in SUBSCRIBERS),
        *(("POST", f"/v1/desk/{service}/deadLetters/1:replay") for service in SUBSCRIBERS),
        *(("POST", f"/v1/desk/{service}/deadLetters/1:drop") for service in SUBSCRIBERS),
    ]
    for verb, path in asked:
        assert problem(shop.http.request(verb, path), 401)["code"] == "UNAUTHENTICATED"
        assert problem(customer.ask(verb, path), 403)["code"] == "PERMISSION_DENIED"
    problem(shop.http.request(*set_stock, json=said), 401)
    problem(customer.ask(*set_stock, json=said), 403)
    assert get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"]


def test_stock_that_was_set_is_what_customers_see_and_buy(shop: Shop, staff: Staff) -> None:
    item = item_with_stock(shop, 1, most=900)
    sku, stock = item["sku"], item["stock"]
    cart_id = new_cart(shop)
    problem(put(shop, cart_id, sku, stock + 5), 400)
    try:
        assert staff.set_stock(sku, stock + 5, expected=stock) == {**item, "stock": stock + 5}
        assert get(shop, f"/v1/inventory/{sku}")["stock"] == stock + 5
        assert put(shop, cart_id, sku, stock + 5).status_code == 200
        found = get(shop, "/v1/search", query=sku)["items"]
        assert sku in {each["sku"] for each in found}
        confirmed = ordered(shop, cart_id, "ORDER_STATE_CONFIRMED")
        assert get(shop, f"/v1/inventory/{sku}")["stock"] == 0

        # Who has seen the stock before that order must look again.
        late = {"stock": 1, "expectedStock": stock + 5}
        refused = staff.ask("POST", f"/v1/desk/inventory/{sku}:setStock", json=late)
        assert problem(refused, 409)["error"] == "StockChanged"
        assert refused.json()["fields"] == {"sku": sku, "stock": 0, "expectedStock": stock + 5}

        shop.http.post(f"/v1/orders/{confirmed['orderId']}:cancel")
        wait_until(lambda: get(shop, f"/v1/inventory/{sku}")["stock"] == stock + 5)
    finally:
        now = get(shop, f"/v1/inventory/{sku}")["stock"]
        staff.set_stock(sku, stock, expected=now)


def test_an_order_that_is_stuck_is_listed_with_why_and_confirmed_when_it_is_tried_again(
    shop: Shop, staff: Staff
) -> None:
    item = item_with_stock(shop, 1)
    cart_id = new_cart(shop)
    assert put(shop, cart_id, item["sku"], 1).status_code == 200
    with broken(shop, "payments", "BEFORE INSERT ON payment"):
        placed = order(shop, cart_id).json()
        order_id = placed["orderId"]
        assert placed["state"] == "ORDER_STATE_PENDING"
        wait_until(lambda: put_off(shop, order_id))

    stuck = staff.see("/v1/desk/orders:stuck?olderThanSeconds=0")["orders"]
    (found,) = [each for each in stuck if each["orderId"] == order_id]
    assert (found["state"], found["step"]) == ("ORDER_STATE_PENDING", "ORDER_STEP_TAKE_PAYMENT")
    assert found["attempts"] >= 1
    assert found["reason"].startswith("INTERNAL: ")
    assert found["total"] == placed["total"]
    assert order_id not in str(staff.see("/v1/desk/orders:stuck"))

    answer = staff.ask("POST", f"/v1/desk/orders/{order_id}:retry")
    assert (answer.status_code, answer.json()) == (200, {"state": "ORDER_STATE_CONFIRMED"})
    assert order_id not in str(staff.see("/v1/desk/orders:stuck?olderThanSeconds=0"))
    assert shop.http.post(f"/v1/orders/{order_id}:cancel").status_code == 200
    unknown = staff.ask("POST", f"/v1/desk/orders/{uuid.uuid4()}:retry")
    assert problem(unknown, 404)["error"] == "OrderNotFound"


def test_an_event_that_a_service_cannot_handle_is_seen_and_has_its_effect_once_it_is_replayed(
    shop: Shop, staff: Staff
) -> None:
    item = item_with_stock(shop, 1)
    cart_id = new_cart(shop)
    assert put(shop, cart_id, item["sku"], 1).status_code == 200
    with broken(shop, "shopping_cart", f"BEFORE DELETE ON cart_item WHEN OLD.cart_id='{cart_id}'"):
        placed = ordered(shop, cart_id, "ORDER_STATE_CONFIRMED")
        # It is tried for a quarter of an hour, but for a test.
        wait_until(lambda: hurry(shop, cart_id))
        wait_until(lambda: letter_of(staff, cart_id) is not None)
    letter = letter_of(staff, cart_id)
    assert letter is not None
    assert (letter["type"], letter["source"]) == ("orders.v1.OrderConfirmed", "orders")
    assert letter["attempts"] == 8
    assert letter["reason"]
    assert letter["publishedAt"] <= letter["receivedAt"]
    assert lines(shop, cart_id) == [(item["sku"], 1)]

    path = f"/v1/desk/shoppingCart/deadLetters/{letter['eventId']}"
    assert staff.ask("POST", f"{path}:replay").json() == {}
    wait_until(lambda: lines(shop, cart_id) == [])
    assert letter_of(staff, cart_id) is None
    for what in ("replay", "drop"):
        assert problem(staff.ask("POST", f"{path}:{what}"), 404)["error"] == "DeadLetterNotFound"
    assert shop.http.post(f"/v1/orders/{placed['orderId']}:cancel").status_code == 200


def letter_of(staff: Staff, cart_id: str) -> dict[str, Any] | None:
    """The dead letter of the carts that is about a cart."""
    letters = staff.see("/v1/desk/shoppingCart/deadLetters?pageSize=200")["deadLetters"]
    return next((letter for letter in letters if letter["key"] == cart_id), None)


def test_an_event_that_nobody_can_read_is_seen_by_each_who_should_have_had_it_and_dropped(
    shop: Shop, staff: Staff
) -> None:
    event_id = publish_garbled(shop)
    for service in ("home", "notifications", "shoppingCart"):
        path = f"/v1/desk/{service}/deadLetters"
        wait_until(lambda path=path: event_id in str(staff.see(path)))  # type: ignore[misc]
        (letter,) = [e for e in staff.see(path)["deadLetters"] if e["eventId"] == event_id]
        assert letter["publishedAt"] == "2023-11-14T22:13:20Z"
        assert letter["reason"].startswith("cannot be read")
        assert staff.ask("POST", f"{path}/{event_id}:drop").json() == {}
        assert event_id not in str(staff.see(path))
    for service in ("customerChat", "orders", "search"):
        assert event_id not in str(staff.see(f"/v1/desk/{service}/deadLetters"))
