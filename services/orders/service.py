"""Composition root of orders: what they answer and need, and what they are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from cyclopts import App

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from seam.sagas import DelayedSagas, SagaRunner
from seam.sagas.commands import saga_commands
from services.authentication.records.messagebus_events import USER_DELETED
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub
from services.orders.api.orders_api import OrdersApi
from services.orders.api.orders_desk_api import OrdersDeskApi
from services.orders.messagebus.deleted_users import disown_their_orders
from services.orders.messagebus.orders import Orders
from services.orders.persistence.migrations import MIGRATIONS
from services.orders.persistence.tables import SAGAS, Table
from services.orders.records.api_bus import (
    register_orders_api,
    register_orders_dead_letters_api,
    register_orders_desk_api,
)
from services.orders.records.api_routes import (
    ORDERS_API_HTTP,
    ORDERS_DEAD_LETTERS_API_HTTP,
    ORDERS_DESK_API_HTTP,
)
from services.orders.records.messagebus_bus import register_orders
from services.orders.records.messagebus_events import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REJECTED,
)
from services.orders.sagas.checkout import Checkout
from services.payments.records.messagebus_bus import PAYMENTS, PaymentsStub
from services.shopping_cart.records.messagebus_bus import SHOPPING_CART, ShoppingCartStub


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database, go on with what was left, and answer."""
    inventory = InventoryStub(resources.channel(INVENTORY))
    shopping_cart = ShoppingCartStub(resources.channel(SHOPPING_CART))
    payments = PaymentsStub(resources.channel(PAYMENTS))
    checkout = Checkout(inventory, payments)
    async with resources.database(Table.metadata) as database:
        runner = SagaRunner(database, SAGAS, (checkout.saga,))
        async with runner.running():
            api = OrdersApi(database, runner, checkout, inventory, shopping_cart)
            yield (
                register_orders_api(api),
                register_orders_desk_api(
                    OrdersDeskApi(database, runner, DelayedSagas(database, SAGAS))
                ),
                register_orders_dead_letters_api(DeadLetterApi("orders", database)),
                register_orders(Orders(database)),
                subscribe(USER_DELETED, disown_their_orders),
            )


COMMANDS: Final = App(name="orders", help="Look after orders.", version_flags=[])
COMMANDS.command(saga_commands("orders", Table.metadata, SAGAS))

SERVICE = Service(
    name="orders",
    start=start,
    needs=(INVENTORY, SHOPPING_CART, PAYMENTS),
    http=(ORDERS_API_HTTP, ORDERS_DESK_API_HTTP, ORDERS_DEAD_LETTERS_API_HTTP),
    migrations=MIGRATIONS,
    commands=COMMANDS,
    publishes=(ORDER_CONFIRMED, ORDER_REJECTED, ORDER_CANCELLED),
)

if __name__ == "__main__":
    main("orders", (SERVICE,))
