"""Says in the log why clients are cut off, without letting them fill it."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

log = logging.getLogger(__name__)

LOG_INTERVAL: Final = 10.0
"""Seconds between two lines for one reason to cut off clients."""


class Cutoffs:
    """Says in the log why clients were cut off: for each reason one line in `LOG_INTERVAL`."""

    def __init__(self) -> None:
        """Begin with nobody cut off."""
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def note(self, client: str, reason: str) -> None:
        """Note that a client was cut off.

        Args:
            client: its address.
            reason: why; one of few texts.
        """
        now = monotonic()
        if now - self._said.get(reason, -LOG_INTERVAL) < LOG_INTERVAL:
            self._unsaid[reason] = self._unsaid.get(reason, 0) + 1
            return
        unsaid = self._unsaid.pop(reason, 0)
        more = f", and {unsaid} others since the line before" if unsaid else ""
        log.info("%s%s: %s", client, more, reason)
        self._said[reason] = now
