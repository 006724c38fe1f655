"""Composition root of the shopping cart: what it answers and needs, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from services.authentication.records.messagebus_events import USER_DELETED
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub
from services.orders.records.messagebus_events import ORDER_CONFIRMED
from services.shopping_cart.api.shopping_cart_api import ShoppingCartApi
from services.shopping_cart.messagebus.deleted_users import delete_their_carts
from services.shopping_cart.messagebus.ordered_items import take_ordered_items
from services.shopping_cart.messagebus.shopping_cart import ShoppingCart
from services.shopping_cart.persistence.migrations import MIGRATIONS
from services.shopping_cart.persistence.tables import Table
from services.shopping_cart.records.api_bus import (
    register_shopping_cart_api,
    register_shopping_cart_dead_letters_api,
)
from services.shopping_cart.records.api_routes import (
    SHOPPING_CART_API_HTTP,
    SHOPPING_CART_DEAD_LETTERS_API_HTTP,
)
from services.shopping_cart.records.messagebus_bus import register_shopping_cart


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database and answer from it."""
    inventory = InventoryStub(resources.channel(INVENTORY))
    async with resources.database(Table.metadata) as database:
        yield (
            register_shopping_cart_api(ShoppingCartApi(database, inventory)),
            register_shopping_cart_dead_letters_api(DeadLetterApi("shopping_cart", database)),
            register_shopping_cart(ShoppingCart(database)),
            subscribe(ORDER_CONFIRMED, take_ordered_items),
            subscribe(USER_DELETED, delete_their_carts),
        )


SERVICE = Service(
    name="shopping_cart",
    start=start,
    needs=(INVENTORY,),
    http=(SHOPPING_CART_API_HTTP, SHOPPING_CART_DEAD_LETTERS_API_HTTP),
    migrations=MIGRATIONS,
)

if __name__ == "__main__":
    main("shopping_cart", (SERVICE,))
