"""Says in the log that something is away, and that it is back, in a line each."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

log = logging.getLogger(__name__)

INTERVAL: Final = 30.0
"""Seconds between two lines about one thing that stays away."""

CALM: Final = 5.0
"""Seconds between two lines about one thing that comes and goes."""


class Outage:
    """Whether one thing that others need is away.

    Attributes:
        away: whether it is, as far as was last seen.
    """

    __slots__ = ("_announced", "_name", "_said", "_unsaid", "away")

    def __init__(self, name: str) -> None:
        """Begin with `name`, as the log calls it, being there."""
        self._name = name
        self._said = -INTERVAL
        self._unsaid = 0
        self._announced = False
        self.away = False

    def failed(self, reason: str) -> None:
        """Note that it did not answer; the log hears of it at most every `INTERVAL` seconds.

        Args:
            reason: why, as far as is known. It is written to the log and nowhere else.
        """
        now = monotonic()
        self.away = True
        if now - self._said < (INTERVAL if self._announced else CALM):
            self._unsaid += 1
            return
        more = f", and {self._unsaid} times since the line before" if self._unsaid else ""
        log.warning("%s is not available%s: %s", self._name, more, reason)
        self._announced = True
        self._said = now
        self._unsaid = 0

    def answered(self) -> None:
        """Note that it answered."""
        self.away = False
        if self._announced:
            log.warning("%s is available again", self._name)
            self._announced = False
            self._unsaid = 0
