"""A client's tour of a shop that was never used before: every route, rightly and wrongly.

What it gives is equal in every topology, to the last JSON value. What a shop makes up by itself
(identities, moments) is named after where it came up first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx

from tests.system.topologies import Shop, wait_until

Visited: TypeAlias = tuple[str, str, int, str, Any]
"""Method, path, status, content type and body of one visit."""

SUBSCRIBERS: Final = (
    "customerChat",
    "home",
    "notifications",
    "orders",
    "search",
    "shoppingCart",
)
"""The services that hear of events, as paths call them."""

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Tour:
    """Visits a shop, and remembers what it has answered.

    Attributes:
        visited: what was asked and answered, without what differs each time.
    """

    def __init__(self, shop: Shop) -> None:
        """Visit `shop`."""
        self.visited: list[Visited] = []
        self._shop = shop
        self._made_up: dict[str, str] = {}

    def name(self, made_up: str, name: str) -> str:
        """Call what the shop has made up by a name from now on; gives what it has made up."""
        self._made_up[made_up] = name
        return made_up

    def visit(self, method: str, path: str, **request: Any) -> Any:
        """Send a request, remember the answer, and give its body."""
        response = self._shop.http.request(method, path, **request)
        kind = response.headers["content-type"]
        where, body = self._named(path), json.loads(self._named(response.text))
        self.visited.append((method, where, response.status_code, kind, body))
        return response.json()

    def wait(
        self, path: str, member: str, *expected: object, headers: Mapping[str, str] | None = None
    ) -> None:
        """Wait until a member of an answer is one of these; what was answered is not remembered."""
        wait_until(lambda: self._get(path, headers).json()[member] in expected)

    def wait_until_indexed(self) -> None:
        """Wait until the search has every item of the catalogue."""
        token, skus = "", []
        while True:
            page = self._get(f"/v1/inventory?pageSize=200&pageToken={token}", None).json()
            skus += [item["sku"] for item in page["items"]]
            token = page["nextPageToken"]
            if not token:
                break
        for sku in skus:
            wait_until(lambda sku=sku: self._finds(sku))  # type: ignore[misc]

    def _finds(self, sku: str) -> bool:
        answer = self._get(f"/v1/search?query={sku}&pageSize=5", None).json()
        return sku in {item["sku"] for item in answer["items"]}

    def _get(self, path: str, headers: Mapping[str, str] | None) -> httpx.Response:
        return self._shop.http.get(path, headers=headers)

    def _named(self, text: str) -> str:
        for made_up, name in self._made_up.items():
            text = text.replace(made_up, name)
        return _MOMENT.sub("MOMENT", text)


def tour(shop: Shop) -> list[Visited]:
    """Visit every route of a shop that was never used before."""
    guide = Tour(shop)
    page = _browse(guide)
    stocked = [item for item in page["items"] if 0 < item["stock"] < 900]
    _fill_a_cart(guide, shop, stocked)
    _buy(guide, stocked)
    _sign_in(guide)
    _be_somebody(guide, shop, stocked)
    for path in ("/healthz", "/schema", "/schema/asyncapi.json"):
        guide.visit("GET", path)
    return guide.visited


def _browse(guide: Tour) -> Any:
    visit = guide.visit
    page = visit("GET", "/v1/inventory?pageSize=9")
    visit("GET", "/v1/inventory", params={"pageSize": 9, "pageToken": page["nextPageToken"]})
    visit("GET", "/v1/inventory?query=wood&page_size=3")
    visit("GET", "/v1/inventory?pageSize=201")
    visit("GET", "/v1/inventory?pageSize=x")
    visit("GET", "/v1/inventory?pageToken=x")
    visit("GET", "/v1/inventory?colour=red")
    visit("GET", "/v1/inventory/NO-SUCH-SKU")
    word = page["items"][0]["name"].split()[0]
    guide.wait_until_indexed()
    visit("GET", f"/v1/search?query={word}&pageSize=3")
    visit("GET", "/v1/search?query=no-such-word-anywhere")
    visit("GET", "/v1/search?query=")
    visit("GET", "/v1/search?pageSize=-1")
    visit("GET", "/v1/no-such-route")
    visit("PATCH", "/v1/inventory")
    for item in page["items"]:
        visit("GET", f"/v1/inventory/{item['sku']}")
    return page


def _new_cart(guide: Tour, name: str) -> str:
    made = guide.visit("POST", "/v1/carts", json={})
    # The visit itself was remembered before the cart had a name.
    guide.visited.pop()
    return guide.name(made["cartId"], name)


def _fill_a_cart(guide: Tour, shop: Shop, stocked: list[Any]) -> None:
    visit = guide.visit
    cart_id = _new_cart(guide, "CART")
    visit("GET", f"/v1/carts/{cart_id}")
    for item in stocked:
        line = f"/v1/carts/{cart_id}/items/{item['sku']}"
        visit("PUT", line, json={"quantity": 1})
        visit("PUT", line, json={"quantity": str(item["stock"])})
        visit("PUT", line, json={"quantity": item["stock"] + 1})
        visit("PUT", line, json={"quantity": 1.5})
        visit("PUT", line, json={"quantity": -1})
        visit("PUT", line, json={})
        visit("PUT", line, content=b"{", headers={"content-type": "application/json"})
    shop.reserve("tour", {item["sku"]: item["stock"] for item in stocked[1:]})
    visit("GET", f"/v1/carts/{cart_id}")
    shop.release("tour")
    visit("DELETE", f"/v1/carts/{cart_id}/items/{stocked[0]['sku']}")
    visit("DELETE", f"/v1/carts/{cart_id}/items/NO-SUCH-SKU")
    visit("PUT", f"/v1/carts/{cart_id}/items/NO-SUCH-SKU", json={"quantity": 1})
    visit("GET", "/v1/carts/no-such-cart")


def _buy(guide: Tour, stocked: list[Any]) -> None:
    visit = guide.visit
    sku = stocked[0]["sku"]
    cart_id, other = _new_cart(guide, "BOUGHT"), _new_cart(guide, "OTHER")
    key = {"Idempotency-Key": "tour-1"}
    visit("POST", "/v1/orders", json={"cartId": cart_id}, headers=key)
    for each in (cart_id, other):
        visit("PUT", f"/v1/carts/{each}/items/{sku}", json={"quantity": 1})
    visit("POST", "/v1/orders", json={"cartId": cart_id})
    visit("POST", "/v1/orders", json={"cartId": "no-such-cart"}, headers=key)
    placed = visit("POST", "/v1/orders", json={"cartId": cart_id}, headers=key)
    guide.visited.pop()
    order = f"/v1/orders/{guide.name(placed['orderId'], 'ORDER')}"
    guide.wait(order, "state", "ORDER_STATE_CONFIRMED", "ORDER_STATE_REJECTED")
    visit("GET", order)
    visit("POST", "/v1/orders", json={"cartId": cart_id}, headers=key)
    visit("POST", "/v1/orders", json={"cartId": other}, headers=key)
    guide.wait(f"/v1/carts/{cart_id}", "lines", [])
    visit("GET", f"/v1/carts/{cart_id}")
    visit("GET", f"/v1/inventory/{sku}")
    visit("POST", f"{order}:cancel")
    guide.wait(order, "state", "ORDER_STATE_CANCELLED")
    visit("GET", order)
    visit("POST", f"{order}:cancel")
    visit("GET", f"/v1/inventory/{sku}")
    visit("GET", "/v1/orders/no-such-order")
    visit("POST", "/v1/orders/no-such-order:cancel")


def _sign_in(guide: Tour) -> None:
    visit = guide.visit
    account = {"email": "ann@example.org", "password": "correct horse"}
    visit("POST", "/v1/users", json=account)
    visit("POST", "/v1/users", json={"email": "ann", "password": "correct horse"})
    visit("POST", "/v1/users", json={"email": "ann@example.org", "password": "short"})
    visit("POST", "/v1/authenticate", json={**account, "password": "battery staple"})
    visit("POST", "/v1/authenticate:refresh", json={"refreshToken": "none"})
    visit("POST", "/v1/authenticate:logout", json={"refreshToken": "none"})
    visit("GET", "/v1/users/me")
    visit("DELETE", "/v1/users/me")
    visit("GET", "/v1/orders")
    visit("GET", "/v1/users/me", headers={"authorization": "Bearer none"})


def _be_somebody(guide: Tour, shop: Shop, stocked: list[Any]) -> None:
    """Take a cart over, buy it, talk about it and see it all; somebody else sees nothing."""
    visit, sku = guide.visit, stocked[0]["sku"]
    ann, bob = _token(shop, "ann@example.org"), _token(shop, "bob@example.org")
    for who, name in ((ann, "ANN"), (bob, "BOB")):
        guide.name(shop.http.get("/v1/users/me", headers=who).json()["userId"], name)
    visit("GET", "/v1/users/me", headers=ann)
    # What was bought before is heard of in its own time.
    wait_until(lambda: shop.http.get("/v1/home").json()["popularItems"] != [])
    visit("GET", "/v1/home", headers=ann)
    cart_id = _new_cart(guide, "MINE")
    line = f"/v1/carts/{cart_id}/items/{sku}"
    visit("PUT", line, json={"quantity": 2})
    visit("GET", f"/v1/carts/{cart_id}", headers=ann)
    for others in (bob, {}):
        visit("GET", f"/v1/carts/{cart_id}", headers=others)
        visit("PUT", line, json={"quantity": 1}, headers=others)
    visit("GET", f"/v1/home?cartId={cart_id}", headers=ann)
    visit("GET", f"/v1/home?cartId={cart_id}", headers=bob)
    key = {"Idempotency-Key": "tour-2"}
    order = {"cartId": cart_id}
    visit("POST", "/v1/orders", json=order, headers={**key, **bob})
    placed = visit("POST", "/v1/orders", json=order, headers={**key, **ann})
    guide.visited.pop()
    path = f"/v1/orders/{guide.name(placed['orderId'], 'OF-ANN')}"
    guide.wait(path, "state", "ORDER_STATE_CONFIRMED", headers=ann)
    guide.wait(f"/v1/carts/{cart_id}", "lines", [], headers=ann)
    for who in (ann, bob):
        visit("GET", path, headers=who)
        visit("GET", "/v1/orders", headers=who)
    _talk(guide, ann, bob)
    visit("POST", f"{path}:cancel", headers=bob)
    visit("POST", f"{path}:cancel", headers=ann)
    for client in ("WEB", "MOBILE"):
        visit("GET", f"/v1/home?client=CLIENT_{client}&cartId={cart_id}", headers=ann)
    visit("GET", "/v1/home?client=CLIENT_FAX")
    _stand_at_the_desk(guide, ann, sku)


def _talk(guide: Tour, ann: dict[str, str], bob: dict[str, str]) -> None:
    visit = guide.visit
    visit("POST", "/v1/chats", json={})
    opened = visit("POST", "/v1/chats", json={}, headers=ann)
    guide.visited.pop()
    chat = f"/v1/chats/{guide.name(opened['chatId'], 'CHAT')}"
    message = {"messageId": "1", "text": "Is it made of wood?"}
    for _ in range(2):
        visit("POST", f"{chat}/messages", json=message, headers=ann)
    visit("POST", f"{chat}/messages", json={**message, "messageId": "2", "text": ""}, headers=ann)
    for who in (ann, bob):
        visit("GET", chat, headers=who)
        visit("GET", f"{chat}/messages", headers=who)
        visit("POST", f"{chat}:join", headers=who)
    visit("GET", "/v1/chats", headers=ann)
    visit("POST", f"{chat}:close", headers=ann)
    visit("POST", f"{chat}/messages", json={**message, "messageId": "3"}, headers=ann)


def _stand_at_the_desk(guide: Tour, ann: dict[str, str], sku: str) -> None:
    """Ask for what is for the shop's people alone, as nobody and as a customer."""
    visit = guide.visit
    for who in ({}, ann):
        said = {"stock": 9, "expectedStock": 1}
        visit("POST", f"/v1/desk/inventory/{sku}:setStock", json=said, headers=who)
        visit("GET", "/v1/desk/orders:stuck", headers=who)
        visit("POST", "/v1/desk/orders/no-such-order:retry", headers=who)
        for service in SUBSCRIBERS:
            letters = f"/v1/desk/{service}/deadLetters"
            visit("GET", letters, headers=who)
            visit("POST", f"{letters}/no-such-event:replay", headers=who)
            visit("POST", f"{letters}/no-such-event:drop", headers=who)
    visit("GET", f"/v1/inventory/{sku}")


def _token(shop: Shop, email: str) -> dict[str, str]:
    """Register somebody, or somebody again, and sign in; gives the header that says so."""
    account = {"email": email, "password": "correct horse"}
    assert shop.http.post("/v1/users", json=account).status_code == 200
    answer = shop.http.post("/v1/authenticate", json=account)
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['accessToken']}"}
