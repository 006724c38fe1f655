"""Entity tags: what an answer's body is, in few bytes, so that it is sent once.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

GZIP_MARK: Final = b"-gzip"
"""What the tag of a compressed body ends in: it is another sequence of bytes."""

_BYTES: Final = 16


def digest(body: bytes) -> bytes:
    """What tells a body from all others, in hexadecimal."""
    return blake2b(body, digest_size=_BYTES).hexdigest().encode()


def is_held(if_none_match: bytes, of_body: bytes) -> bool:
    """Whether a client holds a body already, compressed or not.

    Args:
        if_none_match: the header of this name.
        of_body: the body's digest.
    """
    if if_none_match == b"*":
        return True
    tags = (b'"%b"' % of_body, b'"%b%b"' % (of_body, GZIP_MARK))
    return any(sent.strip().removeprefix(b"W/") in tags for sent in if_none_match.split(b","))
