"""Gathers the first page from the services that have its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from contract.v1.money import Money

from seam.call import current_principal
from seam.contract import Code, StatusError
from seam.persistence import Database
from services.authentication.records.messagebus import GetAccountRequest, UnknownAccountError
from services.authentication.records.messagebus_bus import AuthenticationStub
from services.home.domain.layout import layout_of
from services.home.persistence.sales import SalesRepository
from services.home.records.api import (
    Cart,
    GetHomeRequest,
    Home,
    Part,
    PopularItem,
    Profile,
    RecentOrder,
)
from services.inventory.records.messagebus import BatchGetItemsRequest, StockItem
from services.inventory.records.messagebus_bus import InventoryStub
from services.orders.records.messagebus import ListRecentOrdersRequest
from services.orders.records.messagebus_bus import OrdersStub
from services.shopping_cart.records.messagebus import GetCartContentsRequest, UnknownCartError
from services.shopping_cart.records.messagebus_bus import ShoppingCartStub

PATIENCE: Final = 1.0
"""Seconds that a part may take before the page does without it."""

_AWAY: Final = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED})
"""What a part answers that can be had another time."""

T = TypeVar("T")


class HomeApi:
    """Handler of `home.v1.HomeApi`."""

    def __init__(
        self,
        database: Database,
        authentication: AuthenticationStub,
        inventory: InventoryStub,
        orders: OrdersStub,
        shopping_cart: ShoppingCartStub,
    ) -> None:
        """Gather from these services, and what sells best from `database`."""
        self._sales = SalesRepository(database)
        self._authentication = authentication
        self._inventory = inventory
        self._orders = orders
        self._shopping_cart = shopping_cart

    async def get_home(self, request: GetHomeRequest) -> Home:
        """The first page, as far as it can be had."""
        layout = layout_of(request.client)
        missing: list[Part] = []
        profile, cart, recent_orders, popular_items = await asyncio.gather(
            _part(Part.PROFILE, self._profile, missing),
            _part(Part.CART, lambda: self._cart(request.cart_id), missing),
            _part(Part.RECENT_ORDERS, lambda: self._recent(layout.recent_orders), missing),
            _part(Part.POPULAR_ITEMS, lambda: self._popular(layout.popular_items), missing),
        )
        return Home(
            profile=profile,
            cart=cart,
            recent_orders=recent_orders or (),
            popular_items=popular_items or (),
            missing=tuple(sorted(missing, key=lambda part: part.value)),
        )

    async def _profile(self) -> Profile | None:
        if not current_principal().subject:
            return None
        try:
            account = await self._authentication.get_account(GetAccountRequest())
        except UnknownAccountError:
            return None
        return Profile(user_id=account.user_id, email=account.email)

    async def _cart(self, cart_id: str) -> Cart | None:
        if not cart_id:
            return None
        try:
            contents = await self._shopping_cart.get_cart_contents(
                GetCartContentsRequest(cart_id=cart_id)
            )
        except UnknownCartError:
            return None
        quantities = {item.sku: item.quantity for item in contents.items}
        items = await self._items(tuple(quantities))
        return Cart(
            cart_id=cart_id, units=sum(quantities.values()), total=_total(quantities, items)
        )

    async def _recent(self, most: int) -> tuple[RecentOrder, ...]:
        if not current_principal().subject:
            return ()
        answer = await self._orders.list_recent_orders(ListRecentOrdersRequest(most=most))
        return tuple(
            RecentOrder(
                order_id=order.order_id,
                state=order.state,
                placed_at=order.placed_at,
                total=order.total,
            )
            for order in answer.orders
        )

    async def _popular(self, most: int) -> tuple[PopularItem, ...]:
        # What is sold no longer is left out, so that some more are asked for.
        best = await self._sales.best(2 * most)
        found = await self._items(tuple(best))
        items = [found[sku] for sku in best if sku in found]
        return tuple(
            PopularItem(sku=item.sku, name=item.name, price=item.price, in_stock=item.available > 0)
            for item in items[:most]
        )

    async def _items(self, skus: tuple[str, ...]) -> dict[str, StockItem]:
        if not skus:
            return {}
        answer = await self._inventory.batch_get_items(BatchGetItemsRequest(skus=skus))
        return {item.sku: item for item in answer.items}


async def _part(part: Part, gather: Callable[[], Awaitable[T]], missing: list[Part]) -> T | None:
    """One part of the page; None, and its name in `missing`, when it cannot be had now."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await gather()
    except StatusError as error:
        if error.code not in _AWAY:
            raise
    except TimeoutError:
        pass
    missing.append(part)
    return None


def _total(quantities: Mapping[str, int], items: Mapping[str, StockItem]) -> Money | None:
    if not quantities or any(sku not in items for sku in quantities):
        return None
    prices = [items[sku].price for sku in quantities]
    return Money(
        currency_code=prices[0].currency_code,
        minor_units=sum(items[sku].price.minor_units * units for sku, units in quantities.items()),
    )
