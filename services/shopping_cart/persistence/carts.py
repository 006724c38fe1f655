"""Reads and writes carts.

A cart is reached by its owner alone. One without an owner is reached by who knows its identity, and
belongs from then on to the first who is signed in. Statements see to both: they know who asks. What
happens to a cart whoever its owner is, because of an event, is done by those `of_any`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import bindparam, delete, func, insert, literal_column, or_, select, update
from sqlmodel import col

from seam.call import current_principal
from seam.persistence import Command, Query, Session, current_subject
from services.shopping_cart.persistence.tables import CartItemRow, CartRow
from services.shopping_cart.records.messagebus import CartContents, CartItem


class _Line(NamedTuple):
    """A row of a cart: one item, or nothing where the cart holds nothing."""

    revision: int
    orders_taken: int
    owner: str
    sku: str | None
    quantity: int | None


_ADD = Command(
    insert(CartRow).values(
        cart_id=bindparam("cart_id"), revision=0, orders_taken=0, owner=current_subject()
    )
)

_IS_UNOWNED = col(CartRow.owner) == literal_column("''")
_IS_REACHED = or_(_IS_UNOWNED, col(CartRow.owner) == current_subject())

_LINES_OF_ANY = (
    select(
        col(CartRow.revision),
        col(CartRow.orders_taken),
        col(CartRow.owner),
        col(CartItemRow.sku),
        col(CartItemRow.quantity),
    )
    .select_from(CartRow)
    .outerjoin(CartItemRow, col(CartItemRow.cart_id) == col(CartRow.cart_id))
    .where(col(CartRow.cart_id) == bindparam("cart_id"))
    .order_by(col(CartItemRow.position), col(CartItemRow.sku))
)

_LINES = Query(_LINES_OF_ANY.where(_IS_REACHED), _Line)

_FIND_ANY = Query(_LINES_OF_ANY, _Line)

_TAKE_OVER = Command(
    update(CartRow)
    .where(col(CartRow.cart_id) == bindparam("of"), _IS_UNOWNED)
    .values(owner=current_subject())
)

_CHANGE = Command(
    update(CartRow)
    .where(col(CartRow.cart_id) == bindparam("of"), _IS_REACHED)
    .values(revision=CartRow.revision + 1, owner=current_subject())
)

_CHANGE_ANY = Command(
    update(CartRow)
    .where(col(CartRow.cart_id) == bindparam("of"))
    .values(revision=CartRow.revision + 1)
)

_COUNT_ORDER = Command(
    update(CartRow)
    .where(col(CartRow.cart_id) == bindparam("of"))
    .values(orders_taken=CartRow.orders_taken + 1)
)

_CHANGE_SEEN = Command(
    update(CartRow)
    .where(
        col(CartRow.cart_id) == bindparam("of"),
        col(CartRow.revision) == bindparam("seen"),
        _IS_REACHED,
    )
    .values(revision=CartRow.revision + 1, owner=current_subject())
)

_NEXT_POSITION = (
    select(func.coalesce(func.max(CartItemRow.position), 0) + 1)
    .where(col(CartItemRow.cart_id) == bindparam("cart_id"))
    .scalar_subquery()
)

_SET = Command(
    lambda insert: (
        insert(CartItemRow)
        .values(
            cart_id=bindparam("cart_id"),
            sku=bindparam("sku"),
            quantity=bindparam("quantity"),
            position=_NEXT_POSITION,
        )
        .on_conflict_do_update(
            index_elements=["cart_id", "sku"], set_={"quantity": bindparam("quantity")}
        )
    )
)

_REMOVE = Command(
    delete(CartItemRow).where(
        col(CartItemRow.cart_id) == bindparam("cart_id"), col(CartItemRow.sku) == bindparam("sku")
    )
)

_OF_OWNER = select(col(CartRow.cart_id)).where(col(CartRow.owner) == bindparam("gone"))

_REMOVE_ITEMS_OF_OWNER = Command(delete(CartItemRow).where(col(CartItemRow.cart_id).in_(_OF_OWNER)))

_REMOVE_OF_OWNER = Command(delete(CartRow).where(col(CartRow.owner) == bindparam("gone")))


class CartRepository:
    """Carts and what they hold."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def add(self, cart_id: str) -> None:
        """Write a new, empty cart of who asks."""
        await self._session.execute(_ADD, cart_id=cart_id)

    async def find(self, cart_id: str) -> CartContents | None:
        """What a cart holds, in the order in which items came into it; None without a cart.

        A cart without an owner belongs to who asks from now on, if they are signed in.
        """
        lines = await self._session.fetch_all(_LINES, cart_id=cart_id)
        if lines and not lines[0].owner and current_principal().subject:
            taken = await self._session.execute(_TAKE_OVER, of=cart_id)
            if not taken:
                # Somebody was faster; it may have been another call of the same.
                lines = await self._session.fetch_all(_LINES, cart_id=cart_id)
        return _contents(cart_id, lines) if lines else None

    async def begin_change(self, cart_id: str) -> CartContents | None:
        """Count a change of a cart, and give what it holds before it.

        Nobody else changes the cart before the transaction ends. It is taken over as by `find`.
        """
        # What it holds is read by another statement: this one may have waited, and sees what there
        # was before.
        if not await self._session.execute(_CHANGE, of=cart_id):
            return None
        return await self.find(cart_id)

    async def begin_change_of_any(self, cart_id: str) -> CartContents | None:
        """As `begin_change`, of a cart whoever its owner is."""
        if not await self._session.execute(_CHANGE_ANY, of=cart_id):
            return None
        lines = await self._session.fetch_all(_FIND_ANY, cart_id=cart_id)
        return _contents(cart_id, lines) if lines else None

    async def begin_change_since(self, seen: CartContents) -> CartContents | None:
        """As `begin_change`, of a cart that was read before: mostly nobody has changed it since.

        Its revision says so, and then it need not be read again.
        """
        cart_id, revision = seen.cart_id, seen.revision
        if await self._session.execute(_CHANGE_SEEN, of=cart_id, seen=revision):
            return replace(seen, revision=revision + 1)
        return await self.begin_change(cart_id)

    async def count_order(self, cart_id: str) -> None:
        """Count an order whose items are taken out of a cart that is being changed."""
        await self._session.execute(_COUNT_ORDER, of=cart_id)

    async def set_quantity(self, cart_id: str, sku: str, quantity: int) -> None:
        """Let a cart that is being changed hold some units of an item; a new item comes last."""
        await self._session.execute(_SET, cart_id=cart_id, sku=sku, quantity=quantity)

    async def remove(self, cart_id: str, sku: str) -> None:
        """Take an item out of a cart that is being changed, if it holds it."""
        await self._session.execute(_REMOVE, cart_id=cart_id, sku=sku)

    async def remove_all_of(self, owner: str) -> None:
        """Delete the carts of somebody who has left."""
        await self._session.execute(_REMOVE_ITEMS_OF_OWNER, gone=owner)
        await self._session.execute(_REMOVE_OF_OWNER, gone=owner)


def _contents(cart_id: str, lines: Sequence[_Line]) -> CartContents:
    items = tuple(
        CartItem(sku=line.sku, quantity=line.quantity)
        for line in lines
        if line.sku is not None and line.quantity is not None
    )
    return CartContents(
        cart_id=cart_id,
        items=items,
        revision=lines[0].revision,
        orders_taken=lines[0].orders_taken,
    )
