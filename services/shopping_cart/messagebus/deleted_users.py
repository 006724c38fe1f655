"""Deletes carts with the account that they belong to."""

from __future__ import annotations

from seam.persistence import Transaction
from services.authentication.records.messagebus import UserDeleted
from services.shopping_cart.persistence.carts import CartRepository


async def delete_their_carts(event: UserDeleted, transaction: Transaction) -> None:
    """Delete the carts of a user who has left."""
    await CartRepository(transaction).remove_all_of(event.user_id)
