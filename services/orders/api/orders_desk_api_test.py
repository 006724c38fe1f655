"""The shop's people see which orders do not come to an end, and have them tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from seam.call import Metadata
from seam.contract import Code, StatusError
from seam.persistence import Database
from seam.sagas import Pace
from seam.testing import signed_in
from services.inventory.records.messagebus import ReserveStockResponse
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.conftest import apis
from services.orders.records.api import (
    CancelOrderRequest,
    GetOrderRequest,
    InvalidPageTokenError,
    ListStuckOrdersRequest,
    Order,
    OrderNotFoundError,
    OrderState,
    OrderStep,
    PageSizeOutOfRangeError,
    PlaceOrderRequest,
    RetryOrderRequest,
    RetryOrderResponse,
    StuckOrder,
)
from services.orders.records.api_bus import OrdersApiStub, OrdersDeskApiStub
from services.payments.records.messagebus import TakePaymentResponse, VoidPaymentResponse
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock

# What has failed once is not tried again by itself while a test lasts.
PATIENT = Pace(lease=5.0, poll=5.0, first_delay=60.0, longest_delay=60.0)

AWAY = StatusError(Code.UNAVAILABLE, "the bank is away")


@dataclass
class Shop:
    """What customers and the shop's people call, and what answers them."""

    api: OrdersApiStub
    desk: OrdersDeskApiStub
    inventory: InventoryMock
    payments: PaymentsMock

    async def place(self, cart_id: str = "mine") -> Order:
        """Place an order of Ann's."""
        with signed_in("ann"):
            metadata = Metadata({"idempotency-key": cart_id})
            request = PlaceOrderRequest(cart_id=cart_id, email="")
            # What it waits for does not come: no test needs to wait for that as long as a customer.
            return await self.api.place_order(request, metadata=metadata, timeout=1.3)

    async def stuck(self, older_than: int | None = 0) -> tuple[StuckOrder, ...]:
        """What the shop's people see."""
        with signed_in("joe", "staff"):
            request = ListStuckOrdersRequest(
                page_size=0, page_token="", older_than_seconds=older_than
            )
            return (await self.desk.list_stuck_orders(request)).orders

    async def retry(self, order_id: str) -> RetryOrderResponse:
        """Have an order tried again."""
        with signed_in("joe", "staff"):
            return await self.desk.retry_order(RetryOrderRequest(order_id=order_id), timeout=1.3)

    async def show(self, order_id: str) -> Order:
        """The order as Ann sees it."""
        with signed_in("ann"):
            return await self.api.get_order(GetOrderRequest(order_id=order_id))


@pytest.fixture
async def shop(
    database: Database,
    inventory: InventoryMock,
    payments: PaymentsMock,
    shopping_cart: ShoppingCartMock,
) -> AsyncIterator[Shop]:
    """A shop whose peers do what they are asked for."""
    async with apis(database, inventory, payments, shopping_cart, PATIENT) as (api, desk):
        yield Shop(api, desk, inventory, payments)


async def test_an_order_whose_payment_is_not_to_be_had_is_listed_with_why(shop: Shop) -> None:
    shop.payments.take_payment.raises(AWAY)
    order = await shop.place()
    (stuck,) = await shop.stuck()
    assert stuck == StuckOrder(
        order_id=order.order_id,
        state=OrderState.PENDING,
        placed_at=order.placed_at,
        total=order.total,
        since=stuck.since,
        step=OrderStep.TAKE_PAYMENT,
        attempts=1,
        reason="UNAVAILABLE: the bank is away",
        due_at=stuck.due_at,
    )
    assert abs((stuck.since - order.placed_at).total_seconds()) < 5
    assert stuck.due_at > stuck.since


async def test_an_order_counts_as_stuck_after_a_minute_unless_asked_otherwise(shop: Shop) -> None:
    shop.payments.take_payment.raises(AWAY)
    await shop.place()
    assert await shop.stuck(None) == await shop.stuck(60) == ()
    assert len(await shop.stuck(0)) == 1


async def test_an_order_that_has_ended_is_not_listed(shop: Shop) -> None:
    assert (await shop.place()).state is OrderState.CONFIRMED
    assert await shop.stuck() == ()


async def test_a_stuck_order_is_tried_again_and_confirmed_once_what_it_waited_for_is_back(
    shop: Shop,
) -> None:
    shop.payments.take_payment.raises(AWAY)
    order = await shop.place()
    shop.payments.take_payment.answers(
        lambda request: TakePaymentResponse(payment_id=request.payment_id)
    )
    assert await shop.retry(order.order_id) == RetryOrderResponse(
        state=OrderState.CONFIRMED, stuck=None
    )
    assert await shop.stuck() == ()
    assert (await shop.show(order.order_id)).state is OrderState.CONFIRMED
    # It has ended: nothing is done again.
    asked = len(shop.payments.take_payment.requests)
    assert (await shop.retry(order.order_id)).state is OrderState.CONFIRMED
    assert len(shop.payments.take_payment.requests) == asked


async def test_an_order_that_fails_again_is_told_with_one_more_attempt(shop: Shop) -> None:
    shop.payments.take_payment.raises(AWAY)
    order = await shop.place()
    answer = await shop.retry(order.order_id)
    assert answer.state is OrderState.PENDING
    assert answer.stuck is not None
    assert (answer.stuck.attempts, answer.stuck.step) == (2, OrderStep.TAKE_PAYMENT)
    assert len(shop.payments.take_payment.requests) == 2


async def test_an_order_that_cannot_be_cancelled_is_listed_and_cancelled_when_tried_again(
    shop: Shop,
) -> None:
    order = await shop.place()
    shop.payments.void_payment.raises(AWAY)
    with signed_in("ann"):
        await shop.api.cancel_order(CancelOrderRequest(order_id=order.order_id), timeout=1.3)
    (stuck,) = await shop.stuck()
    assert (stuck.state, stuck.step) == (OrderState.CANCELLING, OrderStep.VOID_PAYMENT)
    assert (stuck.attempts, stuck.reason) == (1, "UNAVAILABLE: the bank is away")
    shop.payments.void_payment.returns(VoidPaymentResponse())
    assert (await shop.retry(order.order_id)).state is OrderState.CANCELLED
    assert await shop.stuck() == ()


async def test_pages_show_each_stuck_order_once_those_first_that_were_placed_first(
    shop: Shop,
) -> None:
    shop.inventory.reserve_stock.raises(StatusError(Code.UNAVAILABLE, "away"))
    placed = [(await shop.place(cart)).order_id for cart in ("mine", "yours", "gift")]
    found, token = [], ""
    for count in (2, 1):
        page = await shop.desk.list_stuck_orders(
            ListStuckOrdersRequest(page_size=2, page_token=token, older_than_seconds=0)
        )
        assert len(page.orders) == count
        found += [each.order_id for each in page.orders]
        token = page.next_page_token
    assert (found, token) == (placed, "")
    shop.inventory.reserve_stock.answers(
        lambda request: ReserveStockResponse(reservation_id=request.reservation_id)
    )


@pytest.mark.parametrize("size", [-1, 201])
async def test_a_page_size_out_of_range_is_refused(shop: Shop, size: int) -> None:
    with pytest.raises(PageSizeOutOfRangeError):
        await shop.desk.list_stuck_orders(
            ListStuckOrdersRequest(page_size=size, page_token="", older_than_seconds=None)
        )


async def test_a_made_up_token_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidPageTokenError):
        await shop.desk.list_stuck_orders(
            ListStuckOrdersRequest(page_size=0, page_token="x", older_than_seconds=None)
        )


@pytest.mark.parametrize("order_id", ["", "unknown", "\0"])
async def test_an_unknown_order_is_not_found(shop: Shop, order_id: str) -> None:
    with pytest.raises(OrderNotFoundError):
        await shop.retry(order_id)
