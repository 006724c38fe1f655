"""Forgets whose orders they were, once an account is deleted.

What was sold, when and for how much has to be kept for the books. Nobody reaches these orders any
more, and nothing in them says who bought.
"""

from __future__ import annotations

from seam.persistence import Transaction
from services.authentication.records.messagebus import UserDeleted
from services.orders.persistence.orders import OrderRepository


async def disown_their_orders(event: UserDeleted, transaction: Transaction) -> None:
    """Keep the orders of a user who has left, without the user."""
    await OrderRepository(transaction).disown(event.user_id)
