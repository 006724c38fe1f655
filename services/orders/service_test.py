from __future__ import annotations

from contract.v1.dead_letters import ListDeadLettersRequest

from seam.bus import InProcessChannel, Registration
from seam.call import Metadata
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from services.authentication.records.messagebus_events import USER_DELETED
from services.inventory.records.messagebus_bus import INVENTORY, register_inventory
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.api import GetOrderRequest, OrderState, PlaceOrderRequest
from services.orders.records.api_bus import (
    ORDERS_API,
    ORDERS_DEAD_LETTERS_API,
    ORDERS_DESK_API,
    OrdersApiStub,
    OrdersDeadLettersApiStub,
)
from services.orders.records.messagebus_bus import ORDERS
from services.orders.service import SERVICE, start
from services.payments.records.messagebus_bus import PAYMENTS, register_payments
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus_bus import SHOPPING_CART, register_shopping_cart
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock


async def test_the_service_answers_its_contract_and_asks_only_for_what_it_needs(
    database_url: str,
    inventory: InventoryMock,
    payments: PaymentsMock,
    shopping_cart: ShoppingCartMock,
) -> None:
    peers = strict_channel(
        register_inventory(inventory),
        register_payments(payments),
        register_shopping_cart(shopping_cart),
    )
    asked_for: list[ServiceDescriptor] = []

    def to(descriptor: ServiceDescriptor) -> InProcessChannel:
        asked_for.append(descriptor)
        return peers

    location = DatabaseLocation(url=database_url, embedded=True)
    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        await leave_dead_letter("orders", database_url, "1")
        letters = OrdersDeadLettersApiStub(strict_channel(*registrations))
        listed = await letters.list_dead_letters(ListDeadLettersRequest(page_size=0, page_token=""))
        assert [each.event_id for each in listed.dead_letters] == ["1"]
        subscriptions = [each for each in provided if isinstance(each, Subscription)]
        assert [each.event for each in subscriptions] == [USER_DELETED]
        assert {each.descriptor for each in registrations} == {
            ORDERS_API,
            ORDERS_DESK_API,
            ORDERS_DEAD_LETTERS_API,
            ORDERS,
        }
        assert {api.descriptor for api in SERVICE.http} == {
            ORDERS_API,
            ORDERS_DESK_API,
            ORDERS_DEAD_LETTERS_API,
        }
        assert set(asked_for) == set(SERVICE.needs) == {INVENTORY, SHOPPING_CART, PAYMENTS}
        order = await OrdersApiStub(strict_channel(*registrations)).place_order(
            PlaceOrderRequest(cart_id="mine", email=""),
            metadata=Metadata({"idempotency-key": "key"}),
        )
        assert order.state is OrderState.CONFIRMED

    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        api = OrdersApiStub(strict_channel(*registrations))
        assert await api.get_order(GetOrderRequest(order_id=order.order_id)) == order
