"""Reads and writes carts."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from seam.persistence import upsert
from services.shopping_cart.persistence.tables import CartItemRow, CartRow
from services.shopping_cart.records.messagebus import CartContents, CartItem


class CartRepository:
    """Carts and what they hold, in one session."""

    def __init__(self, session: AsyncSession) -> None:
        """Work in `session`, which the caller commits."""
        self._session = session

    async def add(self, cart_id: str) -> None:
        """Write a new, empty cart."""
        self._session.add(CartRow(cart_id=cart_id))
        await self._session.flush()

    async def find(self, cart_id: str) -> CartContents | None:
        """What a cart holds, in the order in which items came into it; None without a cart."""
        rows = await self._session.execute(
            select(col(CartItemRow.sku), col(CartItemRow.quantity))
            .select_from(CartRow)
            .outerjoin(CartItemRow, col(CartItemRow.cart_id) == col(CartRow.cart_id))
            .where(col(CartRow.cart_id) == cart_id)
            .order_by(col(CartItemRow.position), col(CartItemRow.sku))
        )
        found = rows.all()
        if not found:
            return None
        # A cart without items is one row without an item.
        items = tuple(CartItem(sku=sku, quantity=quantity) for sku, quantity in found if sku)
        return CartContents(cart_id=cart_id, items=items)

    async def lock(self, cart_id: str) -> CartContents | None:
        """As `find`, and nobody else changes the cart before the session ends."""
        # What it holds is read by another statement: this one may have waited, and sees what there
        # was before.
        locked = await self._session.execute(
            select(col(CartRow.cart_id)).where(col(CartRow.cart_id) == cart_id).with_for_update()
        )
        return None if locked.first() is None else await self.find(cart_id)

    async def set_quantity(self, cart_id: str, sku: str, quantity: int) -> None:
        """Let a locked cart hold `quantity` units of an item; a new item comes last."""
        last = select(func.coalesce(func.max(CartItemRow.position), 0)).where(
            col(CartItemRow.cart_id) == cart_id
        )
        insert = upsert(self._session, CartItemRow).values(
            cart_id=cart_id, sku=sku, quantity=quantity, position=last.scalar_subquery() + 1
        )
        await self._session.execute(
            insert.on_conflict_do_update(
                index_elements=["cart_id", "sku"], set_={"quantity": quantity}
            )
        )

    async def remove(self, cart_id: str, sku: str) -> None:
        """Take an item out of a cart, if it holds it."""
        await self._session.execute(
            delete(CartItemRow).where(
                col(CartItemRow.cart_id) == cart_id, col(CartItemRow.sku) == sku
            )
        )
