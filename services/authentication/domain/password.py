"""Passwords as people choose them.

Source: NIST SP 800-63B, https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver: any character
counts, none is asked for, and what looks the same is the same.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from seam.contract import InvalidField

MINIMUM_LENGTH: Final = 8
MAXIMUM_LENGTH: Final = 128

_MAXIMUM_SENT: Final = 4 * MAXIMUM_LENGTH
"""A character may be sent in up to four pieces."""


def read_password(field: str, text: str) -> bytes:
    """What is hashed of a password that somebody has given.

    Args:
        field: the field that it was given in.
        text: the password.

    Raises:
        InvalidField: it is too short, too long, or no text. It is not repeated.
    """
    if len(text) > _MAXIMUM_SENT:
        raise _refused(field)
    composed = unicodedata.normalize("NFC", text)
    if not MINIMUM_LENGTH <= len(composed) <= MAXIMUM_LENGTH:
        raise _refused(field)
    try:
        return composed.encode()
    except UnicodeEncodeError:
        raise InvalidField(field, "holds half of a surrogate pair") from None


def _refused(field: str) -> InvalidField:
    return InvalidField(field, f"expected {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
