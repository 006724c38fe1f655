"""Page tokens: where the next page of orders begins.

A token names the last order of its page. It is opaque to clients, and it stays valid when orders
are placed, since it counts nothing.
"""

from __future__ import annotations

import base64
import binascii
import uuid

_LENGTH = 22


def encode(last_order_id: str) -> str:
    """Make the token of the page after an order."""
    return base64.urlsafe_b64encode(uuid.UUID(last_order_id).bytes).decode().rstrip("=")


def decode(token: str) -> str:
    """The last order of the page that gave `token`; "" for the empty token of the first page.

    Raises:
        ValueError: no page gave the token.
    """
    if not token:
        return ""
    if len(token) != _LENGTH:
        raise ValueError("not as long as a page token")
    try:
        content = base64.b64decode(f"{token}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not a page token") from None
    order_id = str(uuid.UUID(bytes=content))
    if encode(order_id) != token or uuid.UUID(order_id).version != 7:
        raise ValueError("a page token that was changed")
    return order_id
