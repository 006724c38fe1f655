"""Answers other services that read carts."""

from __future__ import annotations

from seam.persistence import Database
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.records.messagebus import (
    CartContents,
    GetCartContentsRequest,
    UnknownCart,
    UnknownCartError,
)


class ShoppingCart:
    """Handler of `shopping_cart.v1.ShoppingCart`."""

    def __init__(self, database: Database) -> None:
        """Answer from `database`."""
        self._carts = CartRepository(database)

    async def get_cart_contents(self, request: GetCartContentsRequest) -> CartContents:
        """What a cart holds."""
        contents = await self._carts.find(request.cart_id)
        if contents is None:
            raise UnknownCartError(UnknownCart(cart_id=request.cart_id))
        return contents
