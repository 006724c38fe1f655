"""What can be said, and how often."""

from __future__ import annotations

from typing import Final

MAXIMUM_TEXT_LENGTH: Final = 4_000
MAXIMUM_MESSAGE_ID_LENGTH: Final = 64

MAXIMUM_ENTRIES: Final = 30
"""What may happen in a chat in `WINDOW`; more can nobody read."""

WINDOW: Final = 10_000_000
"""Microseconds."""


def is_too_soon(now: int, before: int | None) -> bool:
    """Whether one more message would be too many.

    Args:
        now: the time, in microseconds.
        before: when that happened which lies `MAXIMUM_ENTRIES` back; None when nothing does.
    """
    # A clock that was set back must not silence a chat.
    return before is not None and 0 <= now - before < WINDOW
