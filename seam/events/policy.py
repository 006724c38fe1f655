"""How patient event delivery is."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds of event delivery; a process has the defaults.

    Attributes:
        batch: events that are delivered in one transaction.
        handler_timeout: seconds that a handler has for one event. It holds a transaction, and an
            embedded database has no other writer meanwhile.
        attempts: how often an event is tried before it is a dead letter.
        first_delay: seconds between the first and the second attempt.
        delay_factor: by which each further delay is longer.
        longest_delay: seconds that no delay exceeds.
        lease: seconds after which others take over from a process that has stopped.
        poll: seconds after which somebody looks for what no signal told of.
        inbox_age: seconds for which an event's id is remembered; longer than a stream keeps it.
        trim_interval: seconds between two looks for what is older.
    """

    batch: int = 500
    handler_timeout: float = 5.0
    attempts: int = 8
    first_delay: float = 1.0
    delay_factor: float = 4.0
    longest_delay: float = 300.0
    lease: float = 5.0
    poll: float = 0.5
    inbox_age: float = 14 * 24 * 3600.0
    trim_interval: float = 60.0

    def delay(self, attempts: int) -> float:
        """Seconds until an event is tried again that was tried so often; a random part of it."""
        growth = float(self.delay_factor ** (attempts - 1))
        longest = min(self.first_delay * growth, self.longest_delay)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load)

    def pause(self, failures: int) -> float:
        """Seconds to wait for something that is away, after so many failures in a row."""
        return min(0.05 * float(2 ** min(failures, 10)), 2.0) * random.uniform(0.5, 1.0)  # noqa: S311


DEFAULT_POLICY = Policy()
