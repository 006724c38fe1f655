from __future__ import annotations

import asyncio

import msgspec
import pytest

from seam.persistence import Database
from seam.sagas import Reason
from services.orders.domain.order_id import new_order_id
from services.orders.domain.purchase import Purchase, PurchaseLine
from services.orders.domain.rejection import payment_declined
from services.orders.persistence.orders import OrderRepository
from services.orders.records.api import OrderState

PURCHASE = Purchase(
    order_id=new_order_id(1),
    cart_id="mine",
    cart_revision=7,
    currency_code="EUR",
    lines=(PurchaseLine(sku="A", name="Item A", quantity=2, unit_price=250),),
)


def another(number: int, *, revision: int = 7) -> Purchase:
    return msgspec.structs.replace(
        PURCHASE, order_id=new_order_id(number * 1000), cart_revision=revision
    )


async def add(database: Database, purchase: Purchase, key: str) -> bool:
    async with database.transaction() as transaction:
        return await OrderRepository(transaction).add(purchase, key, 1)


async def test_a_key_names_one_order(database: Database) -> None:
    assert await add(database, PURCHASE, "key")
    other_cart = msgspec.structs.replace(another(2), cart_id="yours")
    assert not await add(database, other_cart, "key")
    found = await OrderRepository(database).by_key("key")
    assert found is not None
    assert found == await OrderRepository(database).find(PURCHASE.order_id)
    assert (found.state, found.total.minor_units) == (OrderState.PENDING, 500)


async def test_a_cart_has_one_order_at_a_time_whatever_it_holds(database: Database) -> None:
    assert await add(database, PURCHASE, "key")
    orders = OrderRepository(database)
    assert not await add(database, another(2, revision=8), "other")
    assert await orders.of_cart("mine", 8) == PURCHASE.order_id
    await orders.confirm(PURCHASE.order_id)
    assert await orders.of_cart("mine", 8) is None
    assert await add(database, another(2, revision=8), "other")


async def test_a_revision_of_a_cart_is_sold_once_until_it_is_given_back(
    database: Database,
) -> None:
    assert await add(database, PURCHASE, "key")
    orders = OrderRepository(database)
    await orders.confirm(PURCHASE.order_id)
    assert not await add(database, another(2), "other")
    assert await orders.of_cart("mine", 7) == PURCHASE.order_id
    await orders.begin_cancelling(PURCHASE.order_id)
    assert not await add(database, another(2), "other")
    assert await orders.end(PURCHASE.order_id, Reason("cancelled"))
    assert await add(database, another(2), "other")
    assert not await orders.end(another(2).order_id, payment_declined("no"))


async def test_of_those_who_write_at_the_same_time_one_wins(database: Database) -> None:
    written = await asyncio.gather(
        *(add(database, another(number), f"key {number}") for number in range(1, 9))
    )
    assert written.count(True) == 1


@pytest.mark.parametrize("wanted", [OrderState.REJECTED, OrderState.CANCELLED])
async def test_an_order_that_has_ended_stays_so(database: Database, wanted: OrderState) -> None:
    await add(database, PURCHASE, "key")
    orders = OrderRepository(database)
    if wanted is OrderState.CANCELLED:
        await orders.begin_cancelling(PURCHASE.order_id)
    await orders.end(PURCHASE.order_id, payment_declined("no"))
    await orders.confirm(PURCHASE.order_id)
    await orders.begin_cancelling(PURCHASE.order_id)
    await orders.end(PURCHASE.order_id, Reason("other"))
    found = await orders.find(PURCHASE.order_id)
    assert found is not None
    assert found.state is wanted
    assert (found.rejection is None) == (wanted is OrderState.CANCELLED)
