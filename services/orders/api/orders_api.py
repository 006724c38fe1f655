"""Answers clients that buy what a cart holds."""

from __future__ import annotations

import time
from typing import Final

from seam.call import idempotency_key, remaining
from seam.contract import Code, StatusError
from seam.persistence import Database
from seam.sagas import Ending, SagaRunner
from services.inventory.records.messagebus import BatchGetItemsRequest, StockItem
from services.inventory.records.messagebus_bus import InventoryStub
from services.orders.api import page_token
from services.orders.domain.email_address import MAXIMUM_EMAIL_LENGTH, is_email_address
from services.orders.domain.order_id import new_order_id
from services.orders.domain.purchase import missing, purchase_of
from services.orders.domain.rejection import CANCELLED
from services.orders.domain.timeline import time_of, timeline
from services.orders.persistence.orders import OrderRepository, StoredOrder
from services.orders.records.api import (
    CancelOrderRequest,
    CartAlreadyOrdered,
    CartAlreadyOrderedError,
    CartEmpty,
    CartEmptyError,
    CartNotFound,
    CartNotFoundError,
    GetOrderRequest,
    IdempotencyKeyReused,
    IdempotencyKeyReusedError,
    InvalidEmail,
    InvalidEmailError,
    InvalidPageToken,
    InvalidPageTokenError,
    ItemUnavailable,
    ItemUnavailableError,
    ListOrdersRequest,
    ListOrdersResponse,
    Order,
    OrderAlreadyRejected,
    OrderAlreadyRejectedError,
    OrderNotFound,
    OrderNotFoundError,
    OrderState,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    PlaceOrderRequest,
)
from services.orders.sagas.checkout import Checkout
from services.shopping_cart.records.messagebus import (
    CartContents,
    GetCartContentsRequest,
    UnknownCartError,
)
from services.shopping_cart.records.messagebus_bus import ShoppingCartStub

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 200

PATIENCE: Final = 2.0
"""Seconds that a client waits for an order to be confirmed or rejected before it is shown."""

_IN_RESERVE: Final = 1.0
"""Seconds of a call that are left for showing the order."""


class OrdersApi:
    """Handler of `orders.v1.OrdersApi`."""

    def __init__(
        self,
        database: Database,
        runner: SagaRunner,
        checkout: Checkout,
        inventory: InventoryStub,
        shopping_cart: ShoppingCartStub,
    ) -> None:
        """Keep orders in `database`, and run the checkout of each by `runner`."""
        self._database = database
        self._orders = OrderRepository(database)
        self._runner = runner
        self._checkout = checkout
        self._inventory = inventory
        self._shopping_cart = shopping_cart

    async def place_order(self, request: PlaceOrderRequest) -> Order:
        """The order that the key names, which is placed if there is none."""
        if request.email and not is_email_address(request.email):
            raise InvalidEmailError(InvalidEmail(maximum=MAXIMUM_EMAIL_LENGTH))
        key = idempotency_key()
        known = await self._orders.by_key(key)
        if known is not None:
            return await self._show_again(known, request)
        contents = await self._contents(request.cart_id)
        items = await self._look_up(contents)
        now = time.time_ns() // 1000
        purchase = purchase_of(contents, items, new_order_id(now))
        ending: Ending | None = None
        async with self._database.transaction() as transaction:
            orders = OrderRepository(transaction)
            if await orders.add(purchase, key, now, request.email):
                # No other order of the cart is under way now, so none is confirmed meanwhile.
                confirmed, newest = await orders.confirmed_of_cart(purchase.cart_id)
                if confirmed > contents.orders_taken:
                    raise CartAlreadyOrderedError(CartAlreadyOrdered(order_id=newest))
                ending = await self._runner.start(
                    transaction, self._checkout.saga, purchase.order_id, purchase
                )
            else:
                # Others were faster: with the same key, or with the same cart.
                known = await orders.by_key(key)
                sold_by = await orders.of_cart(purchase.cart_id, purchase.cart_revision)
        if ending is not None:
            await ending.within(patience())
            return await self._shown(purchase.order_id)
        if known is not None:
            return await self._show_again(known, request)
        if sold_by is None:
            raise StatusError(Code.ABORTED, "another order of the cart has just ended; try again")
        raise CartAlreadyOrderedError(CartAlreadyOrdered(order_id=sold_by))

    async def get_order(self, request: GetOrderRequest) -> Order:
        """One order."""
        return await self._shown(request.order_id)

    async def list_orders(self, request: ListOrdersRequest) -> ListOrdersResponse:
        """One page of the orders."""
        if not 0 <= request.page_size <= MAXIMUM_PAGE_SIZE:
            raise PageSizeOutOfRangeError(
                PageSizeOutOfRange(page_size=request.page_size, maximum=MAXIMUM_PAGE_SIZE)
            )
        try:
            before = page_token.decode(request.page_token)
        except ValueError:
            raise InvalidPageTokenError(InvalidPageToken(page_token=request.page_token)) from None
        size = request.page_size or DEFAULT_PAGE_SIZE
        # One more than asked for tells whether there is a next page.
        found = await self._orders.page(before, size + 1)
        more = len(found) > size
        return ListOrdersResponse(
            orders=found[:size],
            next_page_token=page_token.encode(found[size - 1].order_id) if more else "",
        )

    async def cancel_order(self, request: CancelOrderRequest) -> Order:
        """The order, which is cancelled or will be."""
        order_id = request.order_id
        ending = self._runner.ending(order_id)
        order = await self._find(order_id)
        if order.state in {OrderState.PENDING, OrderState.CONFIRMED}:
            async with self._database.transaction() as transaction:
                if await self._runner.stop(transaction, order_id, CANCELLED):
                    await OrderRepository(transaction).begin_cancelling(order_id)
        if order.state is not OrderState.CANCELLED and order.state is not OrderState.REJECTED:
            await ending.within(patience())
            order = await self._find(order_id)
        if order.state is OrderState.REJECTED:
            raise OrderAlreadyRejectedError(OrderAlreadyRejected(order_id=order_id))
        return await self._with_details(order)

    async def _show_again(self, order: StoredOrder, request: PlaceOrderRequest) -> Order:
        if (order.cart_id, order.email) != (request.cart_id, request.email):
            raise IdempotencyKeyReusedError(IdempotencyKeyReused(order_id=order.order_id))
        ending = self._runner.ending(order.order_id)
        found = await self._find(order.order_id)
        if found.state is OrderState.PENDING:
            await ending.within(patience())
        return await self._shown(order.order_id)

    async def _contents(self, cart_id: str) -> CartContents:
        try:
            contents = await self._shopping_cart.get_cart_contents(
                GetCartContentsRequest(cart_id=cart_id)
            )
        except UnknownCartError:
            raise CartNotFoundError(CartNotFound(cart_id=cart_id)) from None
        if not contents.items:
            raise CartEmptyError(CartEmpty(cart_id=cart_id))
        return contents

    async def _look_up(self, contents: CartContents) -> dict[str, StockItem]:
        skus = tuple(item.sku for item in contents.items)
        answer = await self._inventory.batch_get_items(BatchGetItemsRequest(skus=skus))
        items = {item.sku: item for item in answer.items}
        unavailable = missing(contents, items)
        if unavailable:
            raise ItemUnavailableError(ItemUnavailable(skus=unavailable))
        return items

    async def _find(self, order_id: str) -> StoredOrder:
        order = await self._orders.find(order_id)
        if order is None:
            raise OrderNotFoundError(OrderNotFound(order_id=order_id))
        return order

    async def _shown(self, order_id: str) -> Order:
        return await self._with_details(await self._find(order_id))

    async def _with_details(self, order: StoredOrder) -> Order:
        history = await self._runner.history(order.order_id)
        return Order(
            order_id=order.order_id,
            cart_id=order.cart_id,
            state=order.state,
            placed_at=time_of(order.placed_at),
            lines=await self._orders.lines(order.order_id),
            total=order.total,
            rejection=order.rejection,
            timeline=timeline(order.placed_at, history, order.state),
        )


def patience() -> float:
    """Seconds that a call may wait for an order to come to an end before it is shown."""
    left = remaining()
    return PATIENCE if left is None else max(0.0, min(PATIENCE, left - _IN_RESERVE))
