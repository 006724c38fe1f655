"""What a failure means for a saga, and when a step is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from seam.contract import Code, StatusError

_FINAL: Final = frozenset(
    {
        Code.INVALID_ARGUMENT,
        Code.NOT_FOUND,
        Code.ALREADY_EXISTS,
        Code.PERMISSION_DENIED,
        Code.UNAUTHENTICATED,
        Code.FAILED_PRECONDITION,
        Code.OUT_OF_RANGE,
    }
)
"""What a second try would answer as well. All others may be what a peer says that is away, or
about to be replaced by a version without the defect."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a runner is; all in seconds but `alarm`.

    Attributes:
        lease: how long a saga belongs to somebody of whom nothing is heard.
        poll: how often to look for sagas that others have left.
        attempt: how long one try of a step may take.
        first_delay: how long to wait after the first failure; twice as long after each other.
        longest_delay: the longest wait.
        alarm: after how many failures to undo a step the log has an error.
    """

    lease: float = 5.0
    poll: float = 1.0
    attempt: float = 15.0
    first_delay: float = 0.1
    longest_delay: float = 30.0
    alarm: int = 10

    def delay(self, attempts: int) -> float:
        """How long to wait after so many failures, with jitter so that not all come at once."""
        longest = min(self.longest_delay, self.first_delay * 2.0 ** min(attempts - 1, 30))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311


def is_final(error: Exception) -> bool:
    """Whether trying again is in vain."""
    return isinstance(error, StatusError) and error.code in _FINAL


def told(error: Exception) -> str:
    """What the history says of a failure: a status, or what kind of defect it was."""
    if isinstance(error, StatusError):
        return str(error)
    return "took too long" if isinstance(error, TimeoutError) else type(error).__name__
