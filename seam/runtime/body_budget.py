"""Bounds the memory that the bodies of all requests take together.

Each body is bounded, and so is the time for it. But thousands of clients that hold back the last
byte of a large one would take gigabytes for a minute. So all that has come of bodies, and was not
answered yet, is counted; the beginning of each is free, so that who floods a server with large
bodies keeps nobody from sending a small one.
"""

from __future__ import annotations

from typing import Final

FREE_BYTES: Final = 16 * 2**10
"""Of each body, uncounted: most are shorter."""


class BodyBudget:
    """What bodies may take together."""

    __slots__ = ("_left",)

    def __init__(self, maximum: int) -> None:
        """Begin with nothing taken.

        Args:
            maximum: bytes that may be taken.
        """
        self._left = maximum

    def take(self, size: int) -> bool:
        """Take bytes, unless that is more than there are left."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """Give back bytes that were taken."""
        self._left += size
