"""Orders belong to who has placed them: nobody else finds, lists or cancels one, or has its key."""

from __future__ import annotations

import asyncio

import pytest

from seam.call import Metadata
from seam.persistence import Database
from seam.testing import signed_in
from services.authentication.records.messagebus import UserDeleted
from services.orders.messagebus.deleted_users import disown_their_orders
from services.orders.persistence.orders import OrderRepository
from services.orders.records.api import (
    CancelOrderRequest,
    GetOrderRequest,
    ListOrdersRequest,
    Order,
    OrderNotFoundError,
    OrderState,
    PlaceOrderRequest,
)
from services.orders.records.api_bus import OrdersApiStub


async def place(api: OrdersApiStub, cart_id: str, key: str = "key") -> Order:
    return await api.place_order(
        PlaceOrderRequest(cart_id=cart_id, email=""), metadata=Metadata({"idempotency-key": key})
    )


async def listed(api: OrdersApiStub) -> list[str]:
    page = await api.list_orders(ListOrdersRequest(page_size=0, page_token=""))
    return [order.order_id for order in page.orders]


async def is_found(api: OrdersApiStub, order_id: str) -> bool:
    try:
        await api.get_order(GetOrderRequest(order_id=order_id))
    except OrderNotFoundError:
        return False
    return True


@pytest.mark.parametrize("other", ["bob", "", "ANN", "ann\0", "a" * 300])
async def test_somebody_else_s_order_is_not_there(api: OrdersApiStub, other: str) -> None:
    with signed_in("ann"):
        order = await place(api, "mine")
    with signed_in(other):
        assert not await is_found(api, order.order_id)
        with pytest.raises(OrderNotFoundError):
            await api.cancel_order(CancelOrderRequest(order_id=order.order_id))
        assert await listed(api) == []
    with signed_in("ann"):
        assert await is_found(api, order.order_id)
        assert await listed(api) == [order.order_id]
        cancelled = await api.cancel_order(CancelOrderRequest(order_id=order.order_id))
        assert cancelled.state is OrderState.CANCELLED


async def test_an_order_of_nobody_is_found_by_who_knows_it_and_listed_by_nobody(
    api: OrdersApiStub,
) -> None:
    order = await place(api, "mine")
    for subject in ("", "ann"):
        with signed_in(subject):
            assert await is_found(api, order.order_id)
            assert await listed(api) == []


async def test_a_key_is_its_owner_s(api: OrdersApiStub) -> None:
    placed = {}
    for subject, cart_id in (("", "gift"), ("ann", "mine"), ("bob", "yours")):
        with signed_in(subject):
            first, again = await asyncio.gather(place(api, cart_id), place(api, cart_id))
            assert first.order_id == again.order_id
            placed[subject] = first.order_id
    assert len(set(placed.values())) == 3


async def test_no_key_that_a_client_can_send_is_that_of_somebody_else(api: OrdersApiStub) -> None:
    with signed_in("a"):
        order = await place(api, "mine", "b c")
    with signed_in("a b"):
        assert (await place(api, "yours", "c")).order_id != order.order_id
    assert (await place(api, "gift", "a b c")).order_id != order.order_id


async def test_who_has_left_leaves_orders_that_are_nobody_s(
    api: OrdersApiStub, database: Database
) -> None:
    with signed_in("ann"):
        gone = await place(api, "mine")
    with signed_in("bob"):
        kept = await place(api, "yours")
    for _ in range(2):
        async with database.transaction() as transaction:
            await disown_their_orders(UserDeleted(user_id="ann"), transaction)
    for subject in ("", "ann", "bob"):
        with signed_in(subject):
            assert not await is_found(api, gone.order_id)
    with signed_in("ann"):
        assert await listed(api) == []
        # Her key is free: it was hers, and she is gone.
        assert (await place(api, "gift")).order_id != gone.order_id
    with signed_in("bob"):
        assert await listed(api) == [kept.order_id]


async def test_whoever_is_to_be_told_of_an_order_is_forgotten_with_the_account(
    api: OrdersApiStub, database: Database
) -> None:
    request = PlaceOrderRequest(cart_id="mine", email="ann@example.com")
    with signed_in("ann"):
        order = await api.place_order(request, metadata=Metadata({"idempotency-key": "key"}))
    orders = OrderRepository(database)
    told = await orders.recipient(order.order_id)
    assert (told.email, told.user_id) == ("ann@example.com", "ann")
    async with database.transaction() as transaction:
        await disown_their_orders(UserDeleted(user_id="ann"), transaction)
    told = await orders.recipient(order.order_id)
    assert (told.email, told.user_id) == (None, None)
