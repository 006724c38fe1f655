"""Deletes chats with the account that they belong to."""

from __future__ import annotations

from seam.persistence import Transaction
from services.authentication.records.messagebus import UserDeleted
from services.customer_chat.persistence.chats import ChatRepository


async def delete_their_chats(event: UserDeleted, transaction: Transaction) -> None:
    """Delete the chats of a user who has left, and all that was said in them."""
    await ChatRepository(transaction).remove_all_of(event.user_id)
