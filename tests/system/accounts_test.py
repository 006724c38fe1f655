"""What somebody does who is signed in, in every topology; and what others see of it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.system.business_processes_test import get, item_with_stock, new_cart, problem, put
from tests.system.topologies import Shop, wait_until

PASSWORD = "correct horse"


class Person:
    """Somebody with an account, and what they do in a shop."""

    def __init__(self, shop: Shop) -> None:
        """Register at `shop`, and log in."""
        self._shop = shop
        self.account = {"email": f"{uuid.uuid4()}@example.org", "password": PASSWORD}
        assert shop.http.post("/v1/users", json=self.account).status_code == 200
        answer = shop.http.post("/v1/authenticate", json=self.account)
        assert answer.status_code == 200, answer.text
        self.tokens: dict[str, Any] = answer.json()

    def ask(self, verb: str, path: str, **request: Any) -> httpx.Response:
        """Make a request as who is signed in."""
        headers = {
            "authorization": f"Bearer {self.tokens['accessToken']}",
            **request.pop("headers", {}),
        }
        return self._shop.http.request(verb, path, headers=headers, **request)

    def see(self, path: str) -> dict[str, Any]:
        """What there is at a path."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def order(self, cart_id: str, key: str) -> httpx.Response:
        """Order what a cart holds."""
        headers = {"idempotency-key": key}
        return self.ask("POST", "/v1/orders", json={"cartId": cart_id}, headers=headers)


def test_a_cart_that_was_filled_before_the_log_in_is_taken_along_and_ordered_and_is_nobody_else_s(
    shop: Shop,
) -> None:
    item = item_with_stock(shop, 5)
    cart_id = new_cart(shop)
    cart, line = f"/v1/carts/{cart_id}", f"/v1/carts/{cart_id}/items/{item['sku']}"
    assert put(shop, cart_id, item["sku"], 2).status_code == 200
    ann, bob = Person(shop), Person(shop)

    assert [each["quantity"] for each in ann.see(cart)["lines"]] == [2]
    for answer in (
        shop.http.get(cart),
        bob.ask("GET", cart),
        put(shop, cart_id, item["sku"], 1),
        bob.ask("PUT", line, json={"quantity": 1}),
        bob.ask("DELETE", line),
        bob.order(cart_id, "bob's"),
        shop.http.post(
            "/v1/orders", json={"cartId": cart_id}, headers={"idempotency-key": cart_id}
        ),
    ):
        assert problem(answer, 404)["error"] == "CartNotFound"

    placed = ann.order(cart_id, "the key").json()
    path = f"/v1/orders/{placed['orderId']}"
    wait_until(lambda: ann.see(path)["state"] == "ORDER_STATE_CONFIRMED")
    assert ann.order(cart_id, "the key").json()["orderId"] == placed["orderId"]
    assert [each["orderId"] for each in ann.see("/v1/orders")["orders"]] == [placed["orderId"]]
    wait_until(lambda: ann.see(cart)["lines"] == [])

    assert bob.see("/v1/orders")["orders"] == []
    for answer in (
        shop.http.get(path),
        bob.ask("GET", path),
        bob.ask("POST", f"{path}:cancel", json={}),
        shop.http.post(f"{path}:cancel", json={}),
    ):
        assert problem(answer, 404)["error"] == "OrderNotFound"
    assert problem(shop.http.get("/v1/orders"), 401)["code"] == "UNAUTHENTICATED"
    assert ann.ask("POST", f"{path}:cancel", json={}).status_code == 200
    wait_until(lambda: ann.see(path)["state"] == "ORDER_STATE_CANCELLED")


def test_the_same_key_of_two_people_is_two_orders(shop: Shop) -> None:
    item = item_with_stock(shop, 5)
    placed = []
    for person in (Person(shop), Person(shop)):
        cart_id = person.ask("POST", "/v1/carts", json={}).json()["cartId"]
        line = f"/v1/carts/{cart_id}/items/{item['sku']}"
        assert person.ask("PUT", line, json={"quantity": 1}).status_code == 200
        answer = person.order(cart_id, "my first")
        assert answer.status_code == 200, answer.text
        placed.append((person, answer.json()["orderId"]))
    assert placed[0][1] != placed[1][1]
    for person, order_id in placed:
        assert [each["orderId"] for each in person.see("/v1/orders")["orders"]] == [order_id]
        person.ask("POST", f"/v1/orders/{order_id}:cancel", json={})
    wait_until(lambda: get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"])


def test_who_leaves_takes_their_carts_along_and_their_orders_are_nobody_s(shop: Shop) -> None:
    item = item_with_stock(shop, 5)
    ann = Person(shop)
    carts = [ann.ask("POST", "/v1/carts", json={}).json()["cartId"] for _ in range(2)]
    for cart_id in carts:
        line = f"/v1/carts/{cart_id}/items/{item['sku']}"
        assert ann.ask("PUT", line, json={"quantity": 1}).status_code == 200
    path = f"/v1/orders/{ann.order(carts[0], 'key').json()['orderId']}"
    wait_until(lambda: ann.see(path)["state"] == "ORDER_STATE_CONFIRMED")
    ann.ask("POST", f"{path}:cancel", json={})
    wait_until(lambda: ann.see(path)["state"] == "ORDER_STATE_CANCELLED")

    assert ann.ask("DELETE", "/v1/users/me").json() == {}
    assert problem(ann.ask("GET", "/v1/users/me"), 404)["error"] == "UserNotFound"
    for body in (ann.account, {"refreshToken": ann.tokens["refreshToken"]}):
        verb = ":refresh" if "refreshToken" in body else ""
        assert problem(shop.http.post(f"/v1/authenticate{verb}", json=body), 401)
    # Other services hear of it a little later; the access token is good for some minutes still.
    for cart_id in carts:
        wait_until(lambda cart_id=cart_id: _is_gone(ann, f"/v1/carts/{cart_id}"))  # type: ignore[misc]
    wait_until(lambda: _is_gone(ann, path))
    assert ann.see("/v1/orders")["orders"] == []


def test_a_token_that_is_none_is_refused_wherever_it_is_shown(shop: Shop) -> None:
    ann = Person(shop)
    cart_id = new_cart(shop)
    forged = ann.tokens["accessToken"][:-8] + "AAAAAAAA"
    for token in (forged, ann.tokens["refreshToken"], "nonsense"):
        for path in ("/v1/users/me", "/v1/orders", f"/v1/carts/{cart_id}", "/v1/inventory"):
            answer = shop.http.get(path, headers={"authorization": f"Bearer {token}"})
            assert problem(answer, 401)["code"] == "UNAUTHENTICATED", path


def _is_gone(person: Person, path: str) -> bool:
    return person.ask("GET", path).status_code == 404
