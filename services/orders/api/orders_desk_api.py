"""Answers the shop's people who look after orders that do not come to an end."""

from __future__ import annotations

from seam.persistence import Database
from seam.sagas import DelayedSagas, SagaRunner
from services.orders.api import page_token
from services.orders.api.orders_api import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, patience
from services.orders.domain.stuck import STUCK_AFTER, stuck_order
from services.orders.persistence.orders import OrderRepository
from services.orders.records.api import (
    InvalidPageToken,
    InvalidPageTokenError,
    ListStuckOrdersRequest,
    ListStuckOrdersResponse,
    OrderNotFound,
    OrderNotFoundError,
    OrderSummary,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    RetryOrderRequest,
    RetryOrderResponse,
)


class OrdersDeskApi:
    """Handler of `orders.v1.OrdersDeskApi`."""

    def __init__(self, database: Database, runner: SagaRunner, delayed: DelayedSagas) -> None:
        """Look at the orders of `database`, whose checkouts `runner` runs.

        Args:
            database: where orders are kept.
            runner: tries what is due.
            delayed: the checkouts that have not ended.
        """
        self._orders = OrderRepository(database)
        self._runner = runner
        self._delayed = delayed

    async def list_stuck_orders(self, request: ListStuckOrdersRequest) -> ListStuckOrdersResponse:
        """One page of the orders that are stuck."""
        if not 0 <= request.page_size <= MAXIMUM_PAGE_SIZE:
            raise PageSizeOutOfRangeError(
                PageSizeOutOfRange(page_size=request.page_size, maximum=MAXIMUM_PAGE_SIZE)
            )
        try:
            after = page_token.decode(request.page_token)
        except ValueError:
            raise InvalidPageTokenError(InvalidPageToken(page_token=request.page_token)) from None
        size = request.page_size or DEFAULT_PAGE_SIZE
        older_than = request.older_than_seconds
        # One more than asked for tells whether there is a next page.
        found = await self._delayed.page(
            STUCK_AFTER if older_than is None else older_than, after, size + 1
        )
        page = found[:size]
        orders = await self._orders.summaries([each.id for each in page])
        return ListStuckOrdersResponse(
            orders=tuple(stuck_order(orders[each.id], each) for each in page),
            next_page_token=page_token.encode(page[-1].id) if len(found) > size else "",
        )

    async def retry_order(self, request: RetryOrderRequest) -> RetryOrderResponse:
        """How far an order is once it was tried again."""
        order_id = request.order_id
        ending = self._runner.ending(order_id)
        order = await self._find(order_id)
        if await self._delayed.hasten(order_id):
            self._runner.look()
        if await self._delayed.find(order_id) is not None:
            await ending.within(patience())
            order = await self._find(order_id)
        delayed = await self._delayed.find(order_id)
        return RetryOrderResponse(
            state=order.state, stuck=None if delayed is None else stuck_order(order, delayed)
        )

    async def _find(self, order_id: str) -> OrderSummary:
        found = await self._orders.summaries([order_id])
        if order_id not in found:
            raise OrderNotFoundError(OrderNotFound(order_id=order_id))
        return found[order_id]
