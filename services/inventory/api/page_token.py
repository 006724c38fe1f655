"""Page tokens: where the next page of a query begins.

A token names the last SKU of its page and the query that it belongs to. It is opaque to clients,
and it stays valid when items are added or removed, since it counts nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from seam.persistence import text_refusal
from services.inventory.domain.item import MAXIMUM_SKU_LENGTH

_DIGEST_BYTES: Final = 6

MAXIMUM_LENGTH: Final = 4 * (_DIGEST_BYTES + 4 * MAXIMUM_SKU_LENGTH + 2) // 3
"""Characters of the longest token: of four bytes a character of a SKU, in base 64."""


def encode(query: str, last_sku: str) -> str:
    """Make the token of the page after `last_sku`."""
    return base64.urlsafe_b64encode(_digest(query) + last_sku.encode()).decode().rstrip("=")


def decode(query: str, token: str) -> str:
    """The last SKU of the page that gave `token`; "" for the empty token of the first page.

    Raises:
        ValueError: no page of this query gave the token.
    """
    if not token:
        return ""
    if len(token) > MAXIMUM_LENGTH:
        raise ValueError("too long for a page token")
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, last_sku = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise ValueError("not a page token") from None
    if digest != _digest(query) or text_refusal(last_sku, MAXIMUM_SKU_LENGTH, minimum=1):
        raise ValueError("a page token of another query")
    if encode(query, last_sku) != token:
        raise ValueError("a page token that was changed")
    return last_sku


def _digest(query: str) -> bytes:
    words = " ".join(query.casefold().split())
    return hashlib.sha256(words.encode()).digest()[:_DIGEST_BYTES]
