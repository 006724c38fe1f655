from __future__ import annotations

import asyncio

import pytest
from contract.v1.money import Money
from msgspec.structs import replace

from seam.call import Metadata
from seam.contract import Code, StatusError
from seam.testing import signed_in
from services.inventory.records.messagebus import OutOfStock, OutOfStockError, Shortage
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.api import (
    CancelOrderRequest,
    CartAlreadyOrderedError,
    CartEmptyError,
    CartNotFoundError,
    GetOrderRequest,
    IdempotencyKeyReusedError,
    InvalidEmailError,
    InvalidPageTokenError,
    ItemUnavailable,
    ItemUnavailableError,
    ListOrdersRequest,
    Order,
    OrderEvent,
    OrderLine,
    OrderNotFoundError,
    OrderState,
    PageSizeOutOfRangeError,
    PlaceOrderRequest,
    Rejection,
    RejectionReason,
    ShortItem,
)
from services.orders.records.api_bus import OrdersApiStub
from services.payments.records.messagebus import (
    PaymentDeclined,
    PaymentDeclinedError,
    TakePaymentRequest,
)
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus import GetCartContentsRequest
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock


async def place(
    api: OrdersApiStub, cart_id: str = "mine", key: str = "key", *, email: str = ""
) -> Order:
    metadata = Metadata({"idempotency-key": key})
    return await api.place_order(PlaceOrderRequest(cart_id=cart_id, email=email), metadata=metadata)


def told(order: Order) -> list[OrderEvent]:
    return [entry.event for entry in order.timeline]


def euros(minor_units: int) -> Money:
    return Money(currency_code="EUR", minor_units=minor_units)


async def test_an_order_is_all_that_the_cart_holds_at_the_prices_of_this_moment(
    api: OrdersApiStub, inventory: InventoryMock, payments: PaymentsMock
) -> None:
    order = await place(api)
    assert (order.cart_id, order.state, order.total) == ("mine", OrderState.CONFIRMED, euros(1_500))
    assert order.lines == (
        OrderLine(
            sku="B", name="Item B", quantity=1, unit_price=euros(1_000), line_total=euros(1_000)
        ),
        OrderLine(sku="A", name="Item A", quantity=2, unit_price=euros(250), line_total=euros(500)),
    )
    assert told(order) == [
        OrderEvent.PLACED,
        OrderEvent.STOCK_RESERVED,
        OrderEvent.PAYMENT_TAKEN,
        OrderEvent.CONFIRMED,
    ]
    assert [entry.at for entry in order.timeline] == sorted(entry.at for entry in order.timeline)
    assert order.timeline[0].at == order.placed_at
    (reserved,) = inventory.reserve_stock.requests
    assert reserved.reservation_id == order.order_id
    assert [(line.sku, line.quantity) for line in reserved.lines] == [("B", 1), ("A", 2)]
    assert payments.take_payment.requests == [
        TakePaymentRequest(
            payment_id=order.order_id, amount=euros(1_500), reference=f"Order {order.order_id}"
        )
    ]
    assert await api.get_order(GetOrderRequest(order_id=order.order_id)) == order


async def test_the_same_key_gives_the_same_order(
    api: OrdersApiStub, payments: PaymentsMock, shopping_cart: ShoppingCartMock
) -> None:
    order = await place(api)
    shopping_cart.get_cart_contents.raises(StatusError(Code.UNAVAILABLE, "away"))
    assert await place(api) == order
    assert len(payments.take_payment.requests) == 1


async def test_the_same_key_at_the_same_time_gives_the_same_order(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    orders = await asyncio.gather(*(place(api) for _ in range(8)))
    assert len({order.order_id for order in orders}) == 1
    assert all(order.state is OrderState.CONFIRMED for order in orders)
    assert len(payments.take_payment.requests) == 1


async def test_the_same_key_gives_the_same_order_after_it_was_rejected(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    payments.take_payment.raises(PaymentDeclinedError(PaymentDeclined(payment_id="", reason="no")))
    order = await place(api)
    assert order.state is OrderState.REJECTED
    assert await place(api) == order
    assert (await place(api, key="another")).order_id != order.order_id


async def test_a_key_that_named_another_cart_is_refused(api: OrdersApiStub) -> None:
    order = await place(api)
    with pytest.raises(IdempotencyKeyReusedError) as caught:
        await place(api, cart_id="yours")
    assert caught.value.record.order_id == order.order_id
    assert caught.value.code is Code.ALREADY_EXISTS


async def test_an_order_without_a_key_is_refused_before_anything_is_asked(
    api: OrdersApiStub, shopping_cart: ShoppingCartMock
) -> None:
    with pytest.raises(StatusError, match="idempotency-key: missing; expected 1 to 255"):
        await api.place_order(PlaceOrderRequest(cart_id="mine", email=""))
    assert shopping_cart.get_cart_contents.requests == []


async def test_what_a_cart_holds_is_sold_once(api: OrdersApiStub) -> None:
    order = await place(api)
    with pytest.raises(CartAlreadyOrderedError) as caught:
        await place(api, key="another")
    assert caught.value.record.order_id == order.order_id


async def test_a_cart_is_sold_once_to_those_who_come_at_the_same_time(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    answers = await asyncio.gather(
        *(place(api, key=f"key {number}") for number in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, Order) for answer in answers) == 1
    assert sum(isinstance(answer, CartAlreadyOrderedError) for answer in answers) == 7
    assert len(payments.take_payment.requests) == 1


@pytest.mark.parametrize("end", ["confirmed", "cancelled"])
async def test_what_has_not_left_the_cart_yet_is_not_sold_again_with_what_came_since(
    api: OrdersApiStub, shopping_cart: ShoppingCartMock, end: str
) -> None:
    order = await place(api)
    if end == "cancelled":
        await api.cancel_order(CancelOrderRequest(order_id=order.order_id))
    changed = await shopping_cart.get_cart_contents(GetCartContentsRequest(cart_id="mine"))
    later = replace(changed, revision=8)
    shopping_cart.get_cart_contents.returns(later)
    with pytest.raises(CartAlreadyOrderedError) as caught:
        await place(api, key="another")
    assert caught.value.record.order_id == order.order_id
    shopping_cart.get_cart_contents.returns(replace(later, revision=9, orders_taken=1))
    again = await place(api, key="another")
    assert again.order_id != order.order_id


@pytest.mark.parametrize("cart_id", ["nobody's", "", "\0"])
async def test_an_unknown_cart_is_not_found(api: OrdersApiStub, cart_id: str) -> None:
    with pytest.raises(CartNotFoundError):
        await place(api, cart_id=cart_id)


async def test_a_request_that_is_refused_uses_up_no_key(api: OrdersApiStub) -> None:
    with pytest.raises(CartEmptyError):
        await place(api, cart_id="empty")
    with pytest.raises(ItemUnavailableError) as caught:
        await place(api, cart_id="old")
    assert caught.value.record == ItemUnavailable(skus=("GONE", "LOST"))
    assert (await place(api)).state is OrderState.CONFIRMED


async def test_what_costs_nothing_is_not_paid_for(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    order = await place(api, cart_id="gift")
    assert (order.state, order.total) == (OrderState.CONFIRMED, euros(0))
    assert payments.take_payment.requests == []


async def test_an_order_that_the_stock_does_not_cover_is_rejected_with_what_is_short(
    api: OrdersApiStub, inventory: InventoryMock, payments: PaymentsMock
) -> None:
    short = Shortage(sku="A", requested=2, available=1)
    inventory.reserve_stock.raises(OutOfStockError(OutOfStock(shortages=(short,))))
    order = await place(api)
    assert order.state is OrderState.REJECTED
    assert order.rejection == Rejection(
        reason=RejectionReason.OUT_OF_STOCK,
        short_items=(ShortItem(sku="A", ordered=2, available=1),),
        decline_reason="",
    )
    assert told(order) == [
        OrderEvent.PLACED,
        OrderEvent.STOCK_REFUSED,
        OrderEvent.REJECTED,
    ]
    assert payments.take_payment.requests == []
    assert payments.void_payment.requests == []
    assert inventory.release_stock.requests == []


async def test_an_order_whose_payment_is_declined_gives_its_stock_back(
    api: OrdersApiStub, inventory: InventoryMock, payments: PaymentsMock
) -> None:
    declined = PaymentDeclinedError(PaymentDeclined(payment_id="1", reason="card expired"))
    payments.take_payment.raises(declined)
    order = await place(api)
    assert order.state is OrderState.REJECTED
    assert order.rejection is not None
    assert order.rejection.reason is RejectionReason.PAYMENT_DECLINED
    assert order.rejection.decline_reason == "card expired"
    assert told(order) == [
        OrderEvent.PLACED,
        OrderEvent.STOCK_RESERVED,
        OrderEvent.PAYMENT_DECLINED,
        OrderEvent.STOCK_RELEASED,
        OrderEvent.REJECTED,
    ]
    assert [each.reservation_id for each in inventory.release_stock.requests] == [order.order_id]


async def test_a_peer_that_is_away_leaves_the_order_pending_until_it_is_back(
    api: OrdersApiStub, payments: PaymentsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.orders.api.orders_api.PATIENCE", 0.2)
    payments.take_payment.raises(StatusError(Code.UNAVAILABLE, "away"))
    order = await place(api)
    assert (order.state, told(order)[1:]) == (
        OrderState.PENDING,
        [OrderEvent.STOCK_RESERVED, OrderEvent.DELAYED],
    )
    with pytest.raises(CartAlreadyOrderedError):
        await place(api, key="another")


async def test_ones_own_orders_are_listed_from_the_newest_page_by_page(
    api: OrdersApiStub, payments: PaymentsMock
) -> None:
    payments.take_payment.raises(PaymentDeclinedError(PaymentDeclined(payment_id="", reason="no")))
    placed = []
    for number in range(7):
        with signed_in("ann"):
            placed.append(await place(api, key=f"key {number}"))
        with signed_in("bob"):
            await place(api, key=f"key {number}", cart_id="yours")
        await place(api, key=f"key {number}")
    listed: list[str] = []
    token = ""
    with signed_in("ann"):
        while True:
            page = await api.list_orders(ListOrdersRequest(page_size=3, page_token=token))
            if not token:
                # Between two pages, which stay as they are.
                await place(api, key="between")
            listed += [order.order_id for order in page.orders]
            token = page.next_page_token
            if not token:
                break
        newest = (await api.list_orders(ListOrdersRequest(page_size=0, page_token=""))).orders
    assert listed == [order.order_id for order in reversed(placed)]
    assert len(newest) == 8
    assert (newest[-1].state, newest[-1].total) == (OrderState.REJECTED, euros(1_500))


@pytest.mark.parametrize("page_size", [-1, 201])
async def test_a_page_size_out_of_range_is_refused(api: OrdersApiStub, page_size: int) -> None:
    with pytest.raises(PageSizeOutOfRangeError):
        await api.list_orders(ListOrdersRequest(page_size=page_size, page_token=""))


async def test_a_page_token_that_no_page_gave_is_refused(api: OrdersApiStub) -> None:
    with pytest.raises(InvalidPageTokenError):
        await api.list_orders(ListOrdersRequest(page_size=0, page_token="mine"))


@pytest.mark.parametrize("order_id", ["", "nobody's", "\0"])
async def test_an_unknown_order_is_not_found(api: OrdersApiStub, order_id: str) -> None:
    with pytest.raises(OrderNotFoundError):
        await api.get_order(GetOrderRequest(order_id=order_id))


async def test_a_key_names_one_address_as_well(api: OrdersApiStub) -> None:
    order = await place(api, email="ann@example.com")
    assert (await place(api, email="ann@example.com")).order_id == order.order_id
    with pytest.raises(IdempotencyKeyReusedError):
        await place(api, email="eve@example.com")


@pytest.mark.parametrize("email", ["ann", "a@b\r\nBcc: c@d", "a" * 255])
async def test_an_address_that_is_none_is_refused_and_its_key_stays_free(
    api: OrdersApiStub, email: str
) -> None:
    with pytest.raises(InvalidEmailError):
        await place(api, email=email)
    assert (await place(api, email="ann@example.com")).state is OrderState.CONFIRMED
