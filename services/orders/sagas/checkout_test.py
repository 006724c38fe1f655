"""How a checkout ends, and what others are told of it."""

from __future__ import annotations

import pytest
from contract.v1.money import Money
from sqlalchemy import select

from seam.contract import Code, Record, StatusError
from seam.persistence import Database, Query
from seam.sagas import Pace, Reason, SagaRunner
from services.inventory.records.messagebus import (
    ReservationNotFound,
    ReservationNotFoundError,
    UnknownItem,
    UnknownItemError,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.domain.purchase import Purchase, PurchaseLine
from services.orders.persistence.orders import OrderRepository, StoredOrder
from services.orders.persistence.tables import SAGAS, Table
from services.orders.records.api import OrderState, ShortItem
from services.orders.records.messagebus import (
    ConfirmedLine,
    OrderCancelled,
    OrderConfirmed,
    OrderRejected,
)
from services.orders.records.messagebus_events import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REJECTED,
)
from services.orders.sagas.checkout import Checkout
from services.payments.records.messagebus import PaymentDeclined, PaymentDeclinedError
from services.payments.records.messagebus_mock import PaymentsMock

EVENTS = {each.type: each for each in (ORDER_CONFIRMED, ORDER_REJECTED, ORDER_CANCELLED)}
OUTBOX = Table.metadata.tables["orders.outbox"]
PURCHASE = Purchase(
    order_id="1",
    cart_id="mine",
    cart_revision=7,
    currency_code="EUR",
    lines=(
        PurchaseLine(sku="B", name="Item B", quantity=1, unit_price=1_000),
        PurchaseLine(sku="A", name="Item A", quantity=2, unit_price=250),
    ),
)


@pytest.fixture
def checkout(inventory: InventoryMock, payments: PaymentsMock) -> Checkout:
    """A checkout at the mocks."""
    return Checkout(inventory.stub(), payments.stub())


async def run(database: Database, checkout: Checkout, *, stop: bool = False) -> StoredOrder:
    """Run a checkout to its end, and cancel the order then."""
    saga = checkout.saga
    pace = Pace(poll=0.05, first_delay=0.01, longest_delay=0.05)
    runner = SagaRunner(database, SAGAS, (saga,), pace=pace)
    async with runner.running():
        async with database.transaction() as transaction:
            assert await OrderRepository(transaction).add(PURCHASE, "key", 1)
            ending = await runner.start(transaction, saga, "1", PURCHASE)
        assert await ending.within(20)
        if stop:
            ending = runner.ending("1")
            async with database.transaction() as transaction:
                assert await runner.stop(transaction, "1", Reason("cancelled"))
                await OrderRepository(transaction).begin_cancelling("1")
            assert await ending.within(20)
    order = await OrderRepository(database).find("1")
    assert order is not None
    return order


async def published(database: Database) -> list[tuple[str, Record]]:
    """The events that were published, each with its key."""

    def read(type_: str, key: str, data: bytes) -> tuple[str, Record]:
        return key, EVENTS[type_].codec.decode(data)

    columns = (OUTBOX.c.type, OUTBOX.c.key, OUTBOX.c.data)
    return await database.fetch_all(Query(select(*columns).order_by(OUTBOX.c.position), read))


CONFIRMED = OrderConfirmed(
    order_id="1",
    cart_id="mine",
    cart_revision=7,
    lines=(
        ConfirmedLine(
            sku="B",
            quantity=1,
            name="Item B",
            unit_price=Money(currency_code="EUR", minor_units=1_000),
        ),
        ConfirmedLine(
            sku="A",
            quantity=2,
            name="Item A",
            unit_price=Money(currency_code="EUR", minor_units=250),
        ),
    ),
    total=Money(currency_code="EUR", minor_units=1_500),
)


async def test_a_confirmed_order_is_told_with_what_was_ordered(
    database: Database, checkout: Checkout
) -> None:
    assert (await run(database, checkout)).state is OrderState.CONFIRMED
    assert await published(database) == [("mine", CONFIRMED)]


async def test_an_order_that_is_cancelled_after_it_was_confirmed_is_told_twice(
    database: Database, checkout: Checkout
) -> None:
    assert (await run(database, checkout, stop=True)).state is OrderState.CANCELLED
    cancelled = OrderCancelled(order_id="1", cart_id="mine")
    assert await published(database) == [("mine", CONFIRMED), ("mine", cancelled)]


async def test_a_rejected_order_is_told_once_its_stock_is_given_back(
    database: Database, checkout: Checkout, inventory: InventoryMock, payments: PaymentsMock
) -> None:
    payments.take_payment.raises(PaymentDeclinedError(PaymentDeclined(payment_id="1", reason="no")))
    assert (await run(database, checkout)).state is OrderState.REJECTED
    assert await published(database) == [("mine", OrderRejected(order_id="1", cart_id="mine"))]
    assert len(inventory.release_stock.requests) == 1


async def test_an_item_that_has_left_the_catalogue_is_short(
    database: Database, checkout: Checkout, inventory: InventoryMock
) -> None:
    inventory.reserve_stock.raises(UnknownItemError(UnknownItem(sku="A")))
    order = await run(database, checkout)
    assert order.rejection is not None
    assert order.rejection.short_items == (ShortItem(sku="A", ordered=2, available=0),)


async def test_stock_that_was_never_held_counts_as_released(
    database: Database, checkout: Checkout, inventory: InventoryMock
) -> None:
    inventory.reserve_stock.raises(StatusError(Code.INVALID_ARGUMENT, "a defect"))
    inventory.release_stock.raises(
        ReservationNotFoundError(ReservationNotFound(reservation_id="1"))
    )
    assert (await run(database, checkout)).state is OrderState.REJECTED
