"""Reads and writes carts."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from seam.persistence import upsert
from services.shopping_cart.persistence.tables import CartItemRow, CartRow
from services.shopping_cart.records.messagebus import CartContents, CartItem


class CartRepository:
    """Carts and what they hold, in one session.

    No identity and no SKU holds a NUL character, and PostgreSQL takes none as a parameter: what
    asks for one is answered without asking the database.
    """

    def __init__(self, session: AsyncSession) -> None:
        """Work in `session`, which the caller commits."""
        self._session = session

    async def add(self, cart_id: str) -> None:
        """Write a new, empty cart."""
        self._session.add(CartRow(cart_id=cart_id))
        await self._session.flush()

    async def find(self, cart_id: str) -> CartContents | None:
        """What a cart holds, in the order in which items came into it; None without a cart."""
        if "\0" in cart_id:
            return None
        known = await self._session.execute(
            select(col(CartRow.cart_id)).where(col(CartRow.cart_id) == cart_id)
        )
        if known.first() is None:
            return None
        rows = await self._session.execute(
            select(col(CartItemRow.sku), col(CartItemRow.quantity))
            .where(col(CartItemRow.cart_id) == cart_id)
            .order_by(col(CartItemRow.position), col(CartItemRow.sku))
        )
        items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in rows)
        return CartContents(cart_id=cart_id, items=items)

    async def lock(self, cart_id: str) -> CartContents | None:
        """As `find`, and nobody else changes the cart before the session ends."""
        await self._session.execute(
            select(col(CartRow.cart_id)).where(col(CartRow.cart_id) == cart_id).with_for_update()
        )
        return await self.find(cart_id)

    async def set_quantity(self, cart_id: str, sku: str, quantity: int) -> None:
        """Let a locked cart hold `quantity` units of an item; a new item comes last."""
        last = await self._session.execute(
            select(func.max(CartItemRow.position)).where(col(CartItemRow.cart_id) == cart_id)
        )
        position = (last.scalar_one() or 0) + 1
        insert = upsert(self._session, CartItemRow).values(
            cart_id=cart_id, sku=sku, quantity=quantity, position=position
        )
        await self._session.execute(
            insert.on_conflict_do_update(
                index_elements=["cart_id", "sku"], set_={"quantity": quantity}
            )
        )

    async def remove(self, cart_id: str, sku: str) -> None:
        """Take an item out of a cart, if it holds it."""
        if "\0" in cart_id or "\0" in sku:
            return
        await self._session.execute(
            delete(CartItemRow).where(
                col(CartItemRow.cart_id) == cart_id, col(CartItemRow.sku) == sku
            )
        )
