"""What customers do, in every topology: the same steps, the same answers."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import pytest

from tests.system.topologies import Shop


def get(shop: Shop, path: str, **query: str | int) -> dict[str, Any]:
    response = shop.http.get(path, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def pages(shop: Shop, **query: str | int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    token = ""
    while True:
        page = get(shop, "/v1/inventory", pageToken=token, **query)
        items += page["items"]
        token = page["nextPageToken"]
        if not token:
            return items


def item_with_stock(shop: Shop, least: int, most: int = 10**9) -> dict[str, Any]:
    return next(item for item in pages(shop, pageSize=200) if least <= item["stock"] <= most)


def new_cart(shop: Shop) -> str:
    response = shop.http.post("/v1/carts")
    assert response.status_code == 200, response.text
    cart_id: str = response.json()["cartId"]
    return cart_id


def put(shop: Shop, cart_id: str, sku: str, quantity: object) -> httpx.Response:
    return shop.http.put(f"/v1/carts/{cart_id}/items/{sku}", json={"quantity": quantity})


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    answer: dict[str, Any] = response.json()
    return answer


def trailers(error: Any) -> list[tuple[str, str | bytes]]:
    return [tuple(pair) for pair in error.trailing_metadata()]


def test_a_customer_browses_from_a_page_to_an_item(shop: Shop) -> None:
    page = get(shop, "/v1/inventory", pageSize=5)
    assert len(page["items"]) == 5
    first = page["items"][0]
    assert get(shop, f"/v1/inventory/{first['sku']}") == first


def test_a_search_finds_the_items_that_hold_every_word_in_any_case(shop: Shop) -> None:
    sought = item_with_stock(shop, 0)
    word = sought["name"].split()[0]
    found = pages(shop, query=word.upper(), pageSize=7)
    assert sought in found
    for item in found:
        text = " ".join((item["sku"], item["name"], item["description"], item["category"]))
        assert word.casefold() in text.casefold()
    assert pages(shop, query=f"{word} no-such-word-anywhere") == []


def test_paging_shows_every_item_once_whatever_the_page_size(shop: Shop) -> None:
    everything = pages(shop, pageSize=200)
    skus = [item["sku"] for item in everything]
    assert len(skus) > 100
    assert skus == sorted(set(skus))
    assert pages(shop, pageSize=17) == everything


def test_a_customer_fills_a_cart_and_sees_live_prices_and_the_total(shop: Shop) -> None:
    cart_id = new_cart(shop)
    chosen = [item for item in pages(shop, pageSize=200) if item["stock"] >= 3][:3]
    for quantity, item in enumerate(chosen, start=1):
        assert put(shop, cart_id, item["sku"], quantity).status_code == 200
    cart = get(shop, f"/v1/carts/{cart_id}")
    assert [line["sku"] for line in cart["lines"]] == [item["sku"] for item in chosen]
    total = 0
    for quantity, (line, item) in enumerate(zip(cart["lines"], chosen, strict=True), start=1):
        assert line["name"] == item["name"]
        assert line["quantity"] == quantity
        assert line["unitPrice"] == item["price"]
        assert line["availability"] == "AVAILABILITY_IN_STOCK"
        assert int(line["lineTotal"]["minorUnits"]) == quantity * int(item["price"]["minorUnits"])
        total += int(line["lineTotal"]["minorUnits"])
    assert cart["total"] == {"currencyCode": "EUR", "minorUnits": str(total)}


def test_an_item_leaves_the_cart_by_quantity_0_or_by_removal(shop: Shop) -> None:
    cart_id = new_cart(shop)
    first, second = [item["sku"] for item in pages(shop, pageSize=200) if item["stock"] >= 1][:2]
    put(shop, cart_id, first, 1)
    put(shop, cart_id, second, 1)
    assert [line["sku"] for line in put(shop, cart_id, first, 0).json()["lines"]] == [second]
    for _ in range(2):
        response = shop.http.delete(f"/v1/carts/{cart_id}/items/{second}")
        assert response.status_code == 200
        assert response.json() == {"cartId": cart_id, "lines": []}


def test_more_than_the_stock_is_refused_and_the_cart_stays_as_it_was(shop: Shop) -> None:
    item = item_with_stock(shop, 1, most=900)
    cart_id = new_cart(shop)
    before = put(shop, cart_id, item["sku"], item["stock"]).json()
    refusal = problem(put(shop, cart_id, item["sku"], item["stock"] + 1), 400)
    assert refusal["error"] == "OutOfStock"
    assert refusal["code"] == "FAILED_PRECONDITION"
    assert refusal["fields"] == {
        "sku": item["sku"],
        "requested": item["stock"] + 1,
        "available": item["stock"],
    }
    assert get(shop, f"/v1/carts/{cart_id}") == before


def test_a_cart_shows_when_the_stock_falls_below_what_it_holds(shop: Shop) -> None:
    item = item_with_stock(shop, 5, most=900)
    sku, stock = item["sku"], item["stock"]
    cart_id = new_cart(shop)
    put(shop, cart_id, sku, stock)
    others = f"others-{uuid.uuid4()}"
    shop.reserve(others, {sku: stock - 2})
    line = get(shop, f"/v1/carts/{cart_id}")["lines"][0]
    assert (line["quantity"], line["available"]) == (stock, 2)
    assert line["availability"] == "AVAILABILITY_TOO_FEW"
    shop.reserve(f"{others}-2", {sku: 2})
    line = get(shop, f"/v1/carts/{cart_id}")["lines"][0]
    assert (line["availability"], line["available"]) == ("AVAILABILITY_OUT_OF_STOCK", 0)
    shop.release(others)
    shop.release(f"{others}-2")
    line = get(shop, f"/v1/carts/{cart_id}")["lines"][0]
    assert (line["availability"], line["available"]) == ("AVAILABILITY_IN_STOCK", stock)


def test_reserving_twice_with_one_id_takes_the_stock_once(shop: Shop) -> None:
    item = item_with_stock(shop, 10)
    reservation = f"twice-{uuid.uuid4()}"
    shop.reserve(reservation, {item["sku"]: 4})
    shop.reserve(reservation, {item["sku"]: 4})
    assert get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"] - 4
    shop.release(reservation)
    shop.release(reservation)
    assert get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"]


def test_a_typed_error_reaches_a_plain_grpc_client(shop: Shop) -> None:
    item = item_with_stock(shop, 1, most=900)
    with pytest.raises(grpc.RpcError) as refusal:
        shop.reserve(f"much-{uuid.uuid4()}", {item["sku"]: item["stock"] + 1})
    assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert any(key == "grpc-status-details-bin" for key, _ in trailers(refusal.value))
    assert get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"]


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/v1/inventory/NO-SUCH-SKU", "ItemNotFound"),
        ("GET", "/v1/carts/no-such-cart", "CartNotFound"),
        ("PUT", "/v1/carts/no-such-cart/items/NO-SUCH-SKU", "CartNotFound"),
        ("PUT", "/v1/carts/{cart}/items/NO-SUCH-SKU", "ItemNotFound"),
        ("DELETE", "/v1/carts/no-such-cart/items/NO-SUCH-SKU", "CartNotFound"),
    ],
)
def test_unknown_ids_are_named_in_a_problem(shop: Shop, method: str, path: str, error: str) -> None:
    body = {"quantity": 1} if method == "PUT" else None
    where = path.format(cart=new_cart(shop))
    answer = problem(shop.http.request(method, where, json=body), 404)
    assert answer["error"] == error
    assert any(f"'{value}'" in answer["detail"] for value in answer["fields"].values())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"quantity": "two"}', b'{"amount": 1}'])
def test_a_malformed_body_is_refused_with_what_was_expected(shop: Shop, body: bytes) -> None:
    where = f"/v1/carts/{new_cart(shop)}/items/{item_with_stock(shop, 1)['sku']}"
    headers = {"content-type": "application/json"}
    answer = problem(shop.http.put(where, content=body, headers=headers), 400)
    assert answer["code"] == "INVALID_ARGUMENT"
    assert answer["detail"]


@pytest.mark.parametrize("quantity", [-1, 1000])
def test_a_quantity_out_of_range_is_refused(shop: Shop, quantity: int) -> None:
    item = item_with_stock(shop, 1)
    answer = problem(put(shop, new_cart(shop), item["sku"], quantity), 400)
    assert answer["error"] == "QuantityOutOfRange"
    assert answer["fields"] == {"quantity": quantity, "maximum": 999}


def test_many_customers_at_once_do_not_see_each_other(shop: Shop) -> None:
    items = [item for item in pages(shop, pageSize=200) if item["stock"] >= 20][:20]

    def visit(number: int) -> None:
        cart_id = new_cart(shop)
        mine = items[number % 7 : number % 7 + 5]
        for item in mine:
            assert put(shop, cart_id, item["sku"], number % 19 + 1).status_code == 200
        cart = get(shop, f"/v1/carts/{cart_id}")
        assert [line["sku"] for line in cart["lines"]] == [item["sku"] for item in mine]
        assert {line["quantity"] for line in cart["lines"]} == {number % 19 + 1}

    with ThreadPoolExecutor(16) as customers:
        list(customers.map(visit, range(48)))


def test_no_stock_is_promised_twice_when_many_reserve_at_once(shop: Shop) -> None:
    item = item_with_stock(shop, 5, most=60)
    run = uuid.uuid4()

    def reserve(number: int) -> bool:
        try:
            shop.reserve(f"{run}-{number}", {item["sku"]: 3})
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as others:
        held = list(others.map(reserve, range(item["stock"] // 3 + 6)))
    assert held.count(True) == item["stock"] // 3
    assert get(shop, f"/v1/inventory/{item['sku']}")["stock"] == item["stock"] % 3
    for number, success in enumerate(held):
        if success:
            shop.release(f"{run}-{number}")
