from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.call import ANONYMOUS, Principal, call_scope
from seam.contract.errors import Code, StatusError
from seam.persistence import Database
from seam.testing import strict_channel
from services.orders.domain.purchase import Purchase, PurchaseLine
from services.orders.messagebus.orders import MAXIMUM_ORDERS, Orders
from services.orders.persistence.orders import OrderRepository
from services.orders.records.messagebus import ListRecentOrdersRequest
from services.orders.records.messagebus_bus import OrdersStub, register_orders

ANN = Principal(subject="ann", roles=frozenset(), token="of-ann")
BOB = Principal(subject="bob", roles=frozenset(), token="of-bob")


async def place(database: Database, who: Principal, order_id: str) -> None:
    line = PurchaseLine(sku="A", name="Item A", quantity=1, unit_price=250)
    purchase = Purchase(
        order_id=order_id,
        cart_id=f"cart-{order_id}",
        cart_revision=1,
        currency_code="EUR",
        lines=(line,),
    )
    with call_scope(principal=who):
        async with database.transaction() as transaction:
            assert await OrderRepository(transaction).add(purchase, f"key-{order_id}", 1_000)


async def listed(database: Database, who: Principal, most: int) -> list[str]:
    stub = OrdersStub(strict_channel(register_orders(Orders(database))))
    with call_scope(principal=who):
        answer = await stub.list_recent_orders(ListRecentOrdersRequest(most=most))
    for order in answer.orders:
        assert order.state == "PENDING"
        assert order.total == Money(currency_code="EUR", minor_units=250)
    return [order.order_id for order in answer.orders]


async def test_somebody_is_shown_their_own_last_orders_and_nobody_none(
    database: Database,
) -> None:
    for who, order_id in ((ANN, "1"), (BOB, "2"), (ANN, "3"), (ANONYMOUS, "4"), (ANN, "5")):
        await place(database, who, order_id)
    assert await listed(database, ANN, 2) == ["5", "3"]
    assert await listed(database, BOB, 2) == ["2"]
    assert await listed(database, ANONYMOUS, 2) == []


@pytest.mark.parametrize("most", [-1, 0, MAXIMUM_ORDERS + 1])
async def test_a_list_has_bounds(database: Database, most: int) -> None:
    with pytest.raises(StatusError) as refusal:
        await listed(database, ANN, most)
    assert refusal.value.code is Code.INVALID_ARGUMENT
