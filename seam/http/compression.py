"""Whether a client takes gzip, and gzip.

Only answers of methods without side effects are compressed: what holds a secret, such as a token
that a log-in answers with, is not, since the length of a compressed secret beside chosen text
tells it (https://www.breachattack.com).
"""

from __future__ import annotations

import asyncio
import re
import zlib
from functools import lru_cache
from typing import Final

MINIMUM_BYTES: Final = 1_024
"""What is shorter fits into one packet as it is."""

MAXIMUM_INLINE_BYTES: Final = 128 * 1_024
"""What is longer is compressed in a thread: the loop would stand still for more than 2 ms."""

LEVEL: Final = 1
"""A page of 50 items takes 12 to 50 µs at this level; at 6, three to eight times as long, for a
body that is a sixth smaller."""

_GZIP_CONTAINER: Final = 16 + zlib.MAX_WBITS
_MAXIMUM_ACCEPTED: Final = 1_024
_WEIGHT: Final = re.compile(rb"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_COMPRESSIBLE: Final = re.compile(rb"application/(?:[\w.+-]+\+)?json\b|text/", re.IGNORECASE)


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: bytes) -> bool:
    """Whether a client wants gzip at least as much as the plain body.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3.

    Args:
        accept_encoding: the header of this name. One that is no list of encodings, or is longer
            than any client's, stands for no wish.
    """
    if len(accept_encoding) > _MAXIMUM_ACCEPTED:
        return False
    weights: dict[bytes, float] = {}
    for item in accept_encoding.lower().split(b","):
        name, *parameters = (part.strip() for part in item.split(b";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition(b"=")
            if key.strip() != b"q" or not _WEIGHT.fullmatch(value.strip()):
                return False
            weight = float(value)
        weights[name] = weight
    gzip = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return gzip > 0 and gzip >= weights.get(b"identity", 0.0)


@lru_cache(maxsize=64)
def is_compressible(content_type: bytes) -> bool:
    """Whether a body of this type is worth the work."""
    return _COMPRESSIBLE.match(content_type) is not None


async def compressed(body: bytes) -> bytes:
    """A body in gzip."""
    if len(body) > MAXIMUM_INLINE_BYTES:
        return await asyncio.to_thread(_compress, body)
    return _compress(body)


def _compress(body: bytes) -> bytes:
    return zlib.compress(body, LEVEL, _GZIP_CONTAINER)
