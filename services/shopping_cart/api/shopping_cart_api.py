"""Answers clients that fill a cart."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from seam.persistence import Database
from services.inventory.records.messagebus import BatchGetItemsRequest, StockItem
from services.inventory.records.messagebus_bus import InventoryStub
from services.shopping_cart.domain.contents import (
    MAXIMUM_LINES,
    MAXIMUM_QUANTITY,
    has_room,
    quantity_of,
    with_quantity,
    without,
)
from services.shopping_cart.domain.pricing import priced
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.records.api import (
    Cart,
    CartFull,
    CartFullError,
    CartNotFound,
    CartNotFoundError,
    CreateCartRequest,
    GetCartRequest,
    ItemNotFound,
    ItemNotFoundError,
    OutOfStock,
    OutOfStockError,
    QuantityOutOfRange,
    QuantityOutOfRangeError,
    RemoveItemRequest,
    SetItemQuantityRequest,
)
from services.shopping_cart.records.messagebus import CartContents


class ShoppingCartApi:
    """Handler of `shopping_cart.v1.ShoppingCartApi`."""

    def __init__(self, database: Database, inventory: InventoryStub) -> None:
        """Keep carts in `database`, and ask `inventory` what things cost."""
        self._database = database
        self._carts = CartRepository(database)
        self._inventory = inventory

    async def create_cart(self, _: CreateCartRequest) -> Cart:
        """A new, empty cart."""
        cart_id = str(uuid.uuid4())
        await self._carts.add(cart_id)
        return Cart(cart_id=cart_id, lines=())

    async def get_cart(self, request: GetCartRequest) -> Cart:
        """A cart as it is now."""
        return await self._show(await self._contents(request.cart_id))

    async def set_item_quantity(self, request: SetItemQuantityRequest) -> Cart:
        """The cart with so many units of the item, if the stock covers them."""
        if not 0 <= request.quantity <= MAXIMUM_QUANTITY:
            raise QuantityOutOfRangeError(
                QuantityOutOfRange(quantity=request.quantity, maximum=MAXIMUM_QUANTITY)
            )
        if request.quantity == 0:
            return await self._remove(request.cart_id, request.sku)
        before = await self._contents(request.cart_id)
        live = await self._look_up({request.sku, *(item.sku for item in before.items)})
        _check_stock(request, live)
        if quantity_of(before, request.sku) == request.quantity:
            return priced(before, live)
        async with self._database.transaction() as transaction:
            carts = CartRepository(transaction)
            held = await carts.begin_change_since(before)
            if held is None:
                raise CartNotFoundError(CartNotFound(cart_id=request.cart_id))
            if not has_room(held, request.sku):
                raise CartFullError(CartFull(maximum=MAXIMUM_LINES))
            await carts.set_quantity(request.cart_id, request.sku, request.quantity)
        after = with_quantity(held, request.sku, request.quantity)
        # Others may have put items into the cart since inventory was asked.
        if any(item.sku not in live for item in after.items):
            return await self._show(after)
        return priced(after, live)

    async def remove_item(self, request: RemoveItemRequest) -> Cart:
        """The cart without the item."""
        return await self._remove(request.cart_id, request.sku)

    async def _remove(self, cart_id: str, sku: str) -> Cart:
        before = await self._contents(cart_id)
        if not quantity_of(before, sku):
            return await self._show(before)
        async with self._database.transaction() as transaction:
            carts = CartRepository(transaction)
            held = await carts.begin_change_since(before)
            if held is None:
                raise CartNotFoundError(CartNotFound(cart_id=cart_id))
            await carts.remove(cart_id, sku)
        return await self._show(without(held, sku))

    async def _contents(self, cart_id: str) -> CartContents:
        contents = await self._carts.find(cart_id)
        if contents is None:
            raise CartNotFoundError(CartNotFound(cart_id=cart_id))
        return contents

    async def _show(self, contents: CartContents) -> Cart:
        return priced(contents, await self._look_up(item.sku for item in contents.items))

    async def _look_up(self, skus: Iterable[str]) -> dict[str, StockItem]:
        asked = tuple(skus)
        if not asked:
            return {}
        answer = await self._inventory.batch_get_items(BatchGetItemsRequest(skus=asked))
        return {item.sku: item for item in answer.items}


def _check_stock(request: SetItemQuantityRequest, live: dict[str, StockItem]) -> None:
    item = live.get(request.sku)
    if item is None:
        raise ItemNotFoundError(ItemNotFound(sku=request.sku))
    if item.available < request.quantity:
        raise OutOfStockError(
            OutOfStock(sku=request.sku, requested=request.quantity, available=item.available)
        )
