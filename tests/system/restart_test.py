"""What a shop knew before it was restarted it knows afterwards, in every topology."""

from __future__ import annotations

import uuid

import pytest

from tests.system.accounts_test import Person
from tests.system.business_processes_test import get, item_with_stock, new_cart, pages, put
from tests.system.checkout_test import lines, ordered, stock
from tests.system.topologies import Shop, wait_until


@pytest.mark.parametrize("warning", [True, False], ids=["SIGTERM", "SIGKILL"])
def test_the_shop_is_restarted_and_everything_is_still_there(shop: Shop, warning: bool) -> None:
    item = item_with_stock(shop, 5, most=900)
    cart_id = new_cart(shop)
    put(shop, cart_id, item["sku"], 2)
    reservation = f"over-night-{uuid.uuid4()}"
    shop.reserve(reservation, {item["sku"]: 1})
    to_order = new_cart(shop)
    put(shop, to_order, item["sku"], 1)
    order = ordered(shop, to_order, "ORDER_STATE_CONFIRMED")
    ann = Person(shop)
    me = ann.see("/v1/users/me")
    assert me["email"] == ann.account["email"]
    cart = get(shop, f"/v1/carts/{cart_id}")
    catalogue = pages(shop, pageSize=200)

    shop.restart(warning=warning)

    assert get(shop, f"/v1/carts/{cart_id}") == cart
    assert pages(shop, pageSize=200) == catalogue
    assert get(shop, f"/v1/orders/{order['orderId']}") == order
    # It may have been on its way to be emptied.
    wait_until(lambda: lines(shop, to_order) == [])
    assert ann.see("/v1/users/me") == me
    body = {"refreshToken": ann.tokens["refreshToken"]}
    answer = shop.http.post("/v1/authenticate:refresh", json=body)
    assert answer.status_code == 200, answer.text

    shop.release(reservation)
    shop.http.post(f"/v1/orders/{order['orderId']}:cancel")
    wait_until(lambda: stock(shop, item["sku"]) == item["stock"])
