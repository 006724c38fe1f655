"""Forgets what was written to somebody whose account is deleted."""

from __future__ import annotations

from seam.persistence import Transaction
from services.authentication.records.messagebus import UserDeleted
from services.notifications.persistence.mails import MailRepository


async def forget_their_mails(event: UserDeleted, transaction: Transaction) -> None:
    """Delete the mails of a user who has left, sent or not."""
    await MailRepository(transaction).remove_of_user(event.user_id)
