"""A client cannot tell the topologies apart: every answer is equal, to the last JSON value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.system.topologies import TOPOLOGIES, Shop, start_shop, wait_until


def test_every_topology_gives_the_same_answers(tmp_path: Path) -> None:
    answers = {}
    for name in TOPOLOGIES:
        directory = tmp_path / name
        directory.mkdir()
        shop = start_shop(name, directory)
        try:
            answers[name] = tour(shop)
        finally:
            shop.close()
    expected = answers["monolith"]
    assert len(expected) > 20
    for name, answer in answers.items():
        assert answer == expected, name


def tour(shop: Shop) -> list[Any]:
    """Visit every route, rightly and wrongly, on a shop that was never used before."""
    visited: list[Any] = []

    def visit(method: str, path: str, **request: Any) -> httpx.Response:
        response = shop.http.request(method, path, **request)
        where = path.replace(cart_id, "CART") if cart_id else path
        text = response.text.replace(cart_id, "CART") if cart_id else response.text
        kind = response.headers["content-type"]
        visited.append((method, where, response.status_code, kind, json.loads(text)))
        return response

    cart_id = ""
    page = visit("GET", "/v1/inventory?pageSize=9").json()
    visit("GET", "/v1/inventory", params={"pageSize": 9, "pageToken": page["nextPageToken"]})
    visit("GET", "/v1/inventory?query=wood&page_size=3")
    visit("GET", "/v1/inventory?pageSize=201")
    visit("GET", "/v1/inventory?pageSize=x")
    visit("GET", "/v1/inventory?pageToken=x")
    visit("GET", "/v1/inventory?colour=red")
    visit("GET", "/v1/inventory/NO-SUCH-SKU")
    wait_until(lambda: "KIT-BRD-0008" in shop.http.get("/v1/search?query=oak").text)
    visit("GET", "/v1/search?query=oak+board&pageSize=101")
    visit("GET", "/v1/search?query=oak&pageToken=x")
    visit("GET", "/v1/search?query=no-such-word-anywhere")
    visit("GET", "/v1/search")
    visit("GET", "/v1/no-such-route")
    visit("PATCH", "/v1/inventory")
    stocked = [item for item in page["items"] if 0 < item["stock"] < 900]
    for item in stocked:
        visit("GET", f"/v1/inventory/{item['sku']}")

    cart_id = shop.http.post("/v1/carts", json={}).json()["cartId"]
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
    visit("DELETE", f"/v1/carts/{cart_id}/items/{stocked[0]['sku']}")
    visit("DELETE", f"/v1/carts/{cart_id}/items/NO-SUCH-SKU")
    visit("PUT", f"/v1/carts/{cart_id}/items/NO-SUCH-SKU", json={"quantity": 1})
    visit("GET", "/v1/carts/no-such-cart")

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
    visit("GET", "/healthz")
    visit("GET", "/schema")
    visit("GET", "/schema/asyncapi.json")
    return visited
