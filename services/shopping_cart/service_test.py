from __future__ import annotations

import pytest
from contract.v1.dead_letters import ListDeadLettersRequest
from contract.v1.money import Money

from seam.bus import InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from services.authentication.records.messagebus_events import USER_DELETED
from services.inventory.records.messagebus import BatchGetItemsResponse, StockItem
from services.inventory.records.messagebus_bus import INVENTORY, register_inventory
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.messagebus_events import ORDER_CONFIRMED
from services.shopping_cart.records.api import CreateCartRequest, SetItemQuantityRequest
from services.shopping_cart.records.api_bus import (
    SHOPPING_CART_API,
    SHOPPING_CART_DEAD_LETTERS_API,
    ShoppingCartApiStub,
    ShoppingCartDeadLettersApiStub,
)
from services.shopping_cart.records.messagebus import CartItem, GetCartContentsRequest
from services.shopping_cart.records.messagebus_bus import SHOPPING_CART, ShoppingCartStub
from services.shopping_cart.service import SERVICE, start


async def test_the_service_answers_its_contracts_and_asks_only_for_what_it_needs(
    database_url: str,
) -> None:
    inventory = InventoryMock()
    price = Money(currency_code="EUR", minor_units=250)
    mug = StockItem(sku="MUG", name="Mug", price=price, available=5)
    inventory.batch_get_items.returns(BatchGetItemsResponse(items=(mug,)))
    to_inventory = strict_channel(register_inventory(inventory))
    asked_for: list[ServiceDescriptor] = []

    def to(descriptor: ServiceDescriptor) -> InProcessChannel:
        asked_for.append(descriptor)
        return to_inventory

    location = DatabaseLocation(url=database_url, embedded=True)
    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        await leave_dead_letter("shopping_cart", database_url, "1")
        letters = ShoppingCartDeadLettersApiStub(strict_channel(*registrations))
        listed = await letters.list_dead_letters(ListDeadLettersRequest(page_size=0, page_token=""))
        assert [each.event_id for each in listed.dead_letters] == ["1"]
        subscriptions = [each for each in provided if isinstance(each, Subscription)]
        assert [each.event for each in subscriptions] == [ORDER_CONFIRMED, USER_DELETED]
        answered = {each.descriptor for each in registrations}
        assert answered == {SHOPPING_CART_API, SHOPPING_CART_DEAD_LETTERS_API, SHOPPING_CART}
        assert {api.descriptor for api in SERVICE.http} <= answered
        assert tuple(asked_for) == SERVICE.needs == (INVENTORY,)
        api = ShoppingCartApiStub(strict_channel(*registrations))
        cart = await api.create_cart(CreateCartRequest())
        await api.set_item_quantity(
            SetItemQuantityRequest(cart_id=cart.cart_id, sku="MUG", quantity=2)
        )

    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        contents = await ShoppingCartStub(strict_channel(*registrations)).get_cart_contents(
            GetCartContentsRequest(cart_id=cart.cart_id)
        )
        assert contents.items == (CartItem(sku="MUG", quantity=2),)


async def test_a_database_url_that_is_none_fails_the_start() -> None:
    location = DatabaseLocation(url="shop.db", embedded=False)
    with pytest.raises(ValueError, match="is not a database URL"):
        async with start(Resources(location, lambda _: strict_channel())):
            raise AssertionError("it was started")
