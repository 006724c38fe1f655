"""How much of a request is read. Every bound is checked before the work that it bounds."""

from __future__ import annotations

from typing import Final

from seam.codec.message_size import MAXIMUM_MESSAGE_BYTES

MAXIMUM_BODY_BYTES: Final = MAXIMUM_MESSAGE_BYTES
"""A body of JSON. What is larger could not travel on the bus either."""

MAXIMUM_TARGET_BYTES: Final = 16_384
"""A path, and a query string."""

MAXIMUM_HEAD_BYTES: Final = 65_536
"""A request line together with all headers."""

MAXIMUM_QUERY_PARAMETERS: Final = 1_000

MAXIMUM_NUMBER_DIGITS: Final = 1_000
"""A number in JSON; reading one takes the square of its length."""
