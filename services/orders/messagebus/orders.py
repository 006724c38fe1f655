"""Answers other services that show somebody's orders."""

from __future__ import annotations

from typing import Final

from seam.call import current_principal
from seam.contract import InvalidArgumentError, InvalidField
from seam.persistence import Database
from services.orders.persistence.orders import OrderRepository
from services.orders.records.messagebus import ListRecentOrdersRequest, RecentOrder, RecentOrders

MAXIMUM_ORDERS: Final = 50


class Orders:
    """Handler of `orders.v1.Orders`."""

    def __init__(self, database: Database) -> None:
        """Answer from `database`."""
        self._orders = OrderRepository(database)

    async def list_recent_orders(self, request: ListRecentOrdersRequest) -> RecentOrders:
        """The last orders of who is signed in."""
        if not 1 <= request.most <= MAXIMUM_ORDERS:
            raise InvalidArgumentError(InvalidField("most", f"expected 1 to {MAXIMUM_ORDERS}"))
        if not current_principal().subject:
            return RecentOrders(orders=())
        found = await self._orders.page("", request.most)
        return RecentOrders(
            orders=tuple(
                RecentOrder(
                    order_id=order.order_id,
                    state=order.state.name,
                    placed_at=order.placed_at,
                    total=order.total,
                )
                for order in found
            )
        )
