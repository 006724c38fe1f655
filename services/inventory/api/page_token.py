"""Page tokens: where the next page of a query begins.

A token names the last SKU of its page and the query that it belongs to. It is opaque to clients,
and it stays valid when items are added or removed, since it counts nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

_DIGEST_BYTES: Final = 6


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
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, last_sku = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise ValueError("not a page token") from None
    if digest != _digest(query) or not last_sku or "\0" in last_sku:
        raise ValueError("a page token of another query")
    if encode(query, last_sku) != token:
        raise ValueError("a page token that was changed")
    return last_sku


def _digest(query: str) -> bytes:
    words = " ".join(query.casefold().split())
    return hashlib.sha256(words.encode()).digest()[:_DIGEST_BYTES]
