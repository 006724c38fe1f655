from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.bus import InProcessChannel, ServiceContract
from seam.process import Resources
from seam.process.service import DatabaseLocation
from services.inventory.records.messagebus import BatchGetItemsResponse, StockItem
from services.inventory.records.messagebus_bus import INVENTORY, bind_inventory
from services.inventory.records.messagebus_mock import InventoryMock
from services.shopping_cart.records.api import CreateCartRequest, SetItemQuantityRequest
from services.shopping_cart.records.api_bus import ShoppingCartApiStub
from services.shopping_cart.records.messagebus import CartItem, GetCartContentsRequest
from services.shopping_cart.records.messagebus_bus import ShoppingCartStub
from services.shopping_cart.service import SERVICE, start


async def test_the_service_answers_all_that_it_provides_and_asks_only_for_what_it_needs(
    database_url: str,
) -> None:
    inventory = InventoryMock()
    price = Money(currency_code="EUR", minor_units=250)
    mug = StockItem(sku="MUG", name="Mug", price=price, available=5)
    inventory.batch_get_items.returns(BatchGetItemsResponse(items=(mug,)))
    channel = InProcessChannel(strict=True)
    channel.bind(bind_inventory(inventory))
    asked_for: list[ServiceContract] = []

    def to(contract: ServiceContract) -> InProcessChannel:
        asked_for.append(contract)
        return channel

    location = DatabaseLocation(url=database_url, embedded=True)
    async with start(Resources(location, to)) as bindings:
        assert {binding.contract for binding in bindings} == set(SERVICE.provides)
        assert tuple(asked_for) == SERVICE.needs == (INVENTORY,)
        for binding in bindings:
            channel.bind(binding)
        api = ShoppingCartApiStub(channel)
        cart = await api.create_cart(CreateCartRequest())
        await api.set_item_quantity(
            SetItemQuantityRequest(cart_id=cart.cart_id, sku="MUG", quantity=2)
        )

    async with start(Resources(location, to)) as bindings:
        again = InProcessChannel(strict=True)
        for binding in bindings:
            again.bind(binding)
        contents = await ShoppingCartStub(again).get_cart_contents(
            GetCartContentsRequest(cart_id=cart.cart_id)
        )
        assert contents.items == (CartItem(sku="MUG", quantity=2),)


async def test_a_database_url_that_is_none_fails_the_start() -> None:
    location = DatabaseLocation(url="shop.db", embedded=False)
    with pytest.raises(ValueError, match="is not a database URL"):
        async with start(Resources(location, lambda _: InProcessChannel())):
            raise AssertionError("it was started")
