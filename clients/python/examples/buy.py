"""Fills a cart and buys it: `python buy.py http://127.0.0.1:8080`."""

from __future__ import annotations

import sys
import uuid

from shop_client import Client
from shop_client.orders import Order
from shop_client.shopping_cart import OutOfStockError


def buy(client: Client, query: str, most: int) -> Order:
    """Buy what a search finds.

    Args:
        client: calls the shop.
        query: what to look for.
        most: how many different items to buy at the most.
    """
    cart = client.shopping_cart.create_cart()
    for item in client.inventory.iter_items(query=query):
        try:
            cart = client.shopping_cart.set_item_quantity(
                cart_id=cart.cart_id, sku=item.sku, quantity=1
            )
        except OutOfStockError as error:
            sys.stderr.write(f"{item.name}: only {error.record.available} left\n")
        if len(cart.lines) == most:
            break
    return client.orders.place_order(cart_id=cart.cart_id)


def main(url: str) -> None:
    """Open an account, and buy something."""
    email, password = f"{uuid.uuid4().hex}@example.org", uuid.uuid4().hex
    with Client(url) as client:
        client.authentication.register_user(email=email, password=password)
        client.sign_in(client.authentication.authenticate(email=email, password=password))
        order = buy(client, "oak", 2)
        sys.stdout.write(f"{order.order_id}: {len(order.lines)} items\n")


if __name__ == "__main__":
    main(sys.argv[1])
