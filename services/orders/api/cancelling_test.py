"""Orders are cancelled while they are pending or confirmed, once, and not after a rejection."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from seam.call import Metadata
from seam.contract import Code, StatusError
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.api import (
    CancelOrderRequest,
    GetOrderRequest,
    Order,
    OrderAlreadyRejectedError,
    OrderEvent,
    OrderNotFoundError,
    OrderState,
    PlaceOrderRequest,
)
from services.orders.records.api_bus import OrdersApiStub
from services.payments.records.messagebus import (
    PaymentDeclined,
    PaymentDeclinedError,
    TakePaymentRequest,
    TakePaymentResponse,
    VoidPaymentResponse,
)
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus import GetCartContentsRequest
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock


async def place(api: OrdersApiStub, key: str = "key") -> Order:
    metadata = Metadata({"idempotency-key": key})
    return await api.place_order(PlaceOrderRequest(cart_id="mine", email=""), metadata=metadata)


async def cancel(api: OrdersApiStub, order_id: str) -> Order:
    return await api.cancel_order(CancelOrderRequest(order_id=order_id))


async def show(api: OrdersApiStub, order_id: str) -> Order:
    return await api.get_order(GetOrderRequest(order_id=order_id))


async def test_a_confirmed_order_gives_money_and_stock_back_once(
    api: OrdersApiStub, inventory: InventoryMock, payments: PaymentsMock
) -> None:
    order = await place(api)
    cancelled = await cancel(api, order.order_id)
    assert cancelled.state is OrderState.CANCELLED
    assert cancelled.rejection is None
    assert [entry.event for entry in cancelled.timeline][3:] == [
        OrderEvent.CONFIRMED,
        OrderEvent.CANCEL_REQUESTED,
        OrderEvent.PAYMENT_VOIDED,
        OrderEvent.STOCK_RELEASED,
        OrderEvent.CANCELLED,
    ]
    assert await cancel(api, order.order_id) == cancelled
    assert [each.payment_id for each in payments.void_payment.requests] == [order.order_id]
    assert [each.reservation_id for each in inventory.release_stock.requests] == [order.order_id]


async def test_a_cart_whose_order_was_cancelled_can_be_ordered_again(
    api: OrdersApiStub, shopping_cart: ShoppingCartMock
) -> None:
    order = await place(api)
    await cancel(api, order.order_id)
    # It was confirmed, and the cart has heard of it; its owner has put the same into it again.
    contents = await shopping_cart.get_cart_contents(GetCartContentsRequest(cart_id="mine"))
    shopping_cart.get_cart_contents.returns(replace(contents, revision=9, orders_taken=1))
    again = await place(api, key="another")
    assert (again.state, again.order_id != order.order_id) == (OrderState.CONFIRMED, True)


async def test_a_pending_order_is_cancelled_and_never_confirmed(
    api: OrdersApiStub, payments: PaymentsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.orders.api.orders_api.PATIENCE", 0.2)
    payments.take_payment.raises(StatusError(Code.UNAVAILABLE, "away"))
    order = await place(api)
    assert order.state is OrderState.PENDING
    monkeypatch.setattr("services.orders.api.orders_api.PATIENCE", 5.0)
    cancelled = await cancel(api, order.order_id)
    assert cancelled.state is OrderState.CANCELLED
    assert OrderEvent.CONFIRMED not in [entry.event for entry in cancelled.timeline]
    assert [each.payment_id for each in payments.void_payment.requests] == [order.order_id]


async def test_an_order_is_cancelled_while_its_payment_is_on_its_way(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def take(request: TakePaymentRequest) -> TakePaymentResponse:
        asked.set()
        await answer.wait()
        return TakePaymentResponse(payment_id=request.payment_id)

    payments.take_payment.answers(take)
    placing = asyncio.create_task(place(api))
    await asked.wait()
    order_id = payments.take_payment.requests[0].payment_id
    cancelling = asyncio.create_task(cancel(api, order_id))
    async with asyncio.timeout(10):
        while (await show(api, order_id)).state is OrderState.PENDING:  # noqa: ASYNC110 (others change it)
            await asyncio.sleep(0.01)
    answer.set()
    assert (await cancelling).state is OrderState.CANCELLED
    assert (await placing).state is OrderState.CANCELLED
    assert [each.payment_id for each in payments.void_payment.requests] == [order_id]


async def test_an_order_is_cancelling_until_everything_is_given_back(
    api: OrdersApiStub, payments: PaymentsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await place(api)
    monkeypatch.setattr("services.orders.api.orders_api.PATIENCE", 0.2)
    payments.void_payment.raises(StatusError(Code.UNAVAILABLE, "away"))
    cancelling = await cancel(api, order.order_id)
    assert cancelling.state is OrderState.CANCELLING
    assert cancelling.timeline[-1].event is OrderEvent.DELAYED
    payments.void_payment.returns(VoidPaymentResponse())
    monkeypatch.setattr("services.orders.api.orders_api.PATIENCE", 5.0)
    assert (await cancel(api, order.order_id)).state is OrderState.CANCELLED


async def test_a_rejected_order_has_nothing_to_cancel(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    payments.take_payment.raises(PaymentDeclinedError(PaymentDeclined(payment_id="", reason="no")))
    order = await place(api)
    with pytest.raises(OrderAlreadyRejectedError):
        await cancel(api, order.order_id)
    assert payments.void_payment.requests == []


@pytest.mark.parametrize("order_id", ["", "nobody's", "\0"])
async def test_an_unknown_order_is_not_found(api: OrdersApiStub, order_id: str) -> None:
    with pytest.raises(OrderNotFoundError):
        await cancel(api, order_id)
