"""Who takes part in a chat, and as what."""

from __future__ import annotations

from typing import Final

from seam.call import Principal
from services.customer_chat.records.api import Participant

AGENT: Final = "agent"
"""The role of those who talk for the shop."""


def seat_of(principal: Principal, owner: str) -> Participant | None:
    """As what somebody takes part in a chat, or None for those to whom it is unknown.

    Args:
        principal: who asks.
        owner: the subject of the customer who has opened the chat.
    """
    if not principal.subject:
        return None
    if principal.subject == owner:
        return Participant.CUSTOMER
    return Participant.AGENT if AGENT in principal.roles else None
