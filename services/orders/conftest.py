from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from seam.sagas import DelayedSagas, Pace, SagaRunner
from seam.testing import strict_channel
from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    ReleaseStockResponse,
    ReserveStockResponse,
    StockItem,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.api.orders_api import OrdersApi
from services.orders.api.orders_desk_api import OrdersDeskApi
from services.orders.persistence.tables import SAGAS, Table
from services.orders.records.api_bus import (
    OrdersApiStub,
    OrdersDeskApiStub,
    register_orders_api,
    register_orders_desk_api,
)
from services.orders.sagas.checkout import Checkout
from services.payments.records.messagebus import TakePaymentResponse, VoidPaymentResponse
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus import (
    CartContents,
    CartItem,
    GetCartContentsRequest,
    UnknownCart,
    UnknownCartError,
)
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock

__all__ = ["database", "database_url", "postgres_server"]

load_profile()
database = database_of(Table.metadata)

PACE = Pace(lease=5.0, poll=0.05, first_delay=0.01, longest_delay=0.05)
PRICES = {"A": 250, "B": 1_000, "FREE": 0}
CARTS = {
    "mine": {"B": 1, "A": 2},
    "yours": {"A": 1},
    "gift": {"FREE": 3},
    "empty": {},
    "old": {"A": 1, "GONE": 2, "LOST": 1},
}


def _look_up(request: BatchGetItemsRequest) -> BatchGetItemsResponse:
    """A costs 2.50 EUR and B 10.00 EUR."""
    return BatchGetItemsResponse(
        items=tuple(
            StockItem(
                sku=sku,
                name=f"Item {sku}",
                price=Money(currency_code="EUR", minor_units=PRICES[sku]),
                available=5,
            )
            for sku in request.skus
            if sku in PRICES
        )
    )


def _contents(request: GetCartContentsRequest) -> CartContents:
    if request.cart_id not in CARTS:
        raise UnknownCartError(UnknownCart(cart_id=request.cart_id))
    items = tuple(
        CartItem(sku=sku, quantity=quantity) for sku, quantity in CARTS[request.cart_id].items()
    )
    return CartContents(cart_id=request.cart_id, items=items, revision=7, orders_taken=0)


@pytest.fixture
def inventory() -> InventoryMock:
    """A mock of inventory that sells A and B, and holds what it is asked for."""
    mock = InventoryMock()
    mock.batch_get_items.answers(_look_up)
    mock.reserve_stock.answers(
        lambda request: ReserveStockResponse(reservation_id=request.reservation_id)
    )
    mock.release_stock.returns(ReleaseStockResponse())
    return mock


@pytest.fixture
def payments() -> PaymentsMock:
    """A mock of payments that takes and gives back what it is asked for."""
    mock = PaymentsMock()
    mock.take_payment.answers(lambda request: TakePaymentResponse(payment_id=request.payment_id))
    mock.void_payment.returns(VoidPaymentResponse())
    return mock


@pytest.fixture
def shopping_cart() -> ShoppingCartMock:
    """A mock of the carts, which are at revision 7."""
    mock = ShoppingCartMock()
    mock.get_cart_contents.answers(_contents)
    return mock


@pytest.fixture
async def api(
    database: Database,
    inventory: InventoryMock,
    payments: PaymentsMock,
    shopping_cart: ShoppingCartMock,
) -> AsyncIterator[OrdersApiStub]:
    """The API over a real database and the mocks."""
    async with apis(database, inventory, payments, shopping_cart, PACE) as (api, _):
        yield api


@asynccontextmanager
async def apis(
    database: Database,
    inventory: InventoryMock,
    payments: PaymentsMock,
    shopping_cart: ShoppingCartMock,
    pace: Pace,
) -> AsyncIterator[tuple[OrdersApiStub, OrdersDeskApiStub]]:
    """What customers call and what the shop's people call, over one runner of checkouts."""
    checkout = Checkout(inventory.stub(), payments.stub())
    runner = SagaRunner(database, SAGAS, (checkout.saga,), pace=pace)
    async with runner.running():
        handler = OrdersApi(database, runner, checkout, inventory.stub(), shopping_cart.stub())
        desk = OrdersDeskApi(database, runner, DelayedSagas(database, SAGAS))
        channel = strict_channel(register_orders_api(handler), register_orders_desk_api(desk))
        yield OrdersApiStub(channel), OrdersDeskApiStub(channel)
