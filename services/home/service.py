"""Composition root of home: what it answers and needs, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from services.authentication.records.messagebus_bus import AUTHENTICATION, AuthenticationStub
from services.home.api.home_api import HomeApi
from services.home.messagebus.sold_items import count_sold_items
from services.home.persistence.migrations import MIGRATIONS
from services.home.persistence.tables import Table
from services.home.records.api_bus import register_home_api, register_home_dead_letters_api
from services.home.records.api_routes import HOME_API_HTTP, HOME_DEAD_LETTERS_API_HTTP
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub
from services.orders.records.messagebus_bus import ORDERS, OrdersStub
from services.orders.records.messagebus_events import ORDER_CONFIRMED
from services.shopping_cart.records.messagebus_bus import SHOPPING_CART, ShoppingCartStub


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database, and gather from the others."""
    authentication = AuthenticationStub(resources.channel(AUTHENTICATION))
    inventory = InventoryStub(resources.channel(INVENTORY))
    orders = OrdersStub(resources.channel(ORDERS))
    shopping_cart = ShoppingCartStub(resources.channel(SHOPPING_CART))
    async with resources.database(Table.metadata) as database:
        api = HomeApi(database, authentication, inventory, orders, shopping_cart)
        yield (
            register_home_api(api),
            register_home_dead_letters_api(DeadLetterApi("home", database)),
            subscribe(ORDER_CONFIRMED, count_sold_items),
        )


SERVICE = Service(
    name="home",
    start=start,
    needs=(AUTHENTICATION, INVENTORY, ORDERS, SHOPPING_CART),
    http=(HOME_API_HTTP, HOME_DEAD_LETTERS_API_HTTP),
    migrations=MIGRATIONS,
)

if __name__ == "__main__":
    main("home", (SERVICE,))
