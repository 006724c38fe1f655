"""When one process of a split shop is away, the others say so, and go on when it is back."""

from __future__ import annotations

from pathlib import Path

from tests.system.business_processes_test import get, item_with_stock, new_cart, problem, put
from tests.system.topologies import start_shop, wait_until


def test_a_dead_inventory_is_named_and_found_again(tmp_path: Path) -> None:
    shop = start_shop("split_artifacts", tmp_path)
    try:
        item = item_with_stock(shop, 3)
        cart_id = new_cart(shop)
        before = put(shop, cart_id, item["sku"], 2).json()

        shop.kill("inventory")
        refusal = problem(shop.http.get(f"/v1/carts/{cart_id}"), 503)
        assert refusal["code"] == "UNAVAILABLE"
        problem(put(shop, cart_id, item["sku"], 3), 503)
        assert new_cart(shop) != cart_id
        state = shop.readiness()
        assert state["ready"] is False
        assert state["peers"]["inventory"]["ready"] is False
        assert state["peers"]["shopping_cart"]["ready"] is True

        shop.start("inventory")
        shop.wait_until_ready()
        # The cart looks for inventory by itself, at most a second apart.
        wait_until(lambda: shop.http.get(f"/v1/carts/{cart_id}").status_code == 200)
        assert get(shop, f"/v1/carts/{cart_id}") == before
    finally:
        shop.close()
