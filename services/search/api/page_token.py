"""Page tokens: where the next page of a query begins.

A token says how many items the pages before have shown, and to which query it belongs. It is opaque
to clients. The order of what is found may change while somebody pages; an item can then be shown
twice or not at all, as with every search that ranks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Final

from services.search.domain.words import Term

_DIGEST_BYTES: Final = 6
_NUMBER_BYTES: Final = 3
_LENGTH: Final = 4 * (_DIGEST_BYTES + _NUMBER_BYTES) // 3


def encode(terms: Sequence[Term], shown: int) -> str:
    """Make the token of the page after `shown` items."""
    number = shown.to_bytes(_NUMBER_BYTES, "big")
    return base64.urlsafe_b64encode(_digest(terms) + number).decode()


def decode(terms: Sequence[Term], token: str) -> int:
    """How many items were shown before the page; 0 for the empty token of the first page.

    Raises:
        ValueError: no page of this query gave the token.
    """
    if not token:
        return 0
    if len(token) != _LENGTH:
        raise ValueError("not as long as a page token")
    try:
        content = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not a page token") from None
    shown = int.from_bytes(content[_DIGEST_BYTES:], "big")
    if not shown or encode(terms, shown) != token:
        raise ValueError("a page token of another query")
    return shown


def _digest(terms: Sequence[Term]) -> bytes:
    words = " ".join(term.word for term in terms)
    return hashlib.sha256(words.encode()).digest()[:_DIGEST_BYTES]
