"""When a mail is tried again."""

from __future__ import annotations

from typing import Final

MAXIMUM_ATTEMPTS: Final = 60
"""Attempts after which a mail that is put off every time has failed: some two and a half days.

RFC 5321, 4.5.4.1, wants a sender to try for at least four to five days; but a shop's mail is of no
use to anybody by then.
"""

_FIRST: Final = 60.0
_LONGEST: Final = 3_600.0


def delay_after(attempts: int) -> float:
    """Seconds until the next attempt.

    Args:
        attempts: how many there were.
    """
    return min(_LONGEST, _FIRST * 2.0 ** min(attempts - 1, 10))
