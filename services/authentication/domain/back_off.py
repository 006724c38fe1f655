"""How long somebody waits between attempts, the longer the more of them have failed.

Each attempt counts as failed until it has succeeded, so that many at once are no way around it. The
wait is bounded: who guesses at an account can slow its owner down, but not lock them out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from services.authentication.domain.clock import SECOND

FREE_ATTEMPTS: Final = 5
"""How many may fail before the first wait."""

FIRST_WAIT: Final = 1 * SECOND
LONGEST_WAIT: Final = 60 * SECOND

FORGOTTEN_AFTER: Final = 3_600 * SECOND
"""How long after the last attempt nothing is left of them."""

_DOUBLINGS: Final = 16


class Attempts(NamedTuple):
    """What is known of attempts.

    Attributes:
        failed: how many have failed since the last that succeeded.
        last: when the last one was, in microseconds since the epoch.
    """

    failed: int
    last: int


NO_ATTEMPTS: Final = Attempts(0, 0)


def wait(attempts: Attempts, now: int) -> int:
    """How many seconds the next attempt has to wait; 0 when it may be made now.

    A clock that was set back lets nobody wait longer than the last attempt has.

    Args:
        attempts: what is known of those before.
        now: the time, in microseconds since the epoch.
    """
    left = attempts.last + _wait_after(attempts.failed) - now
    if left <= 0 or attempts.last > now:
        return 0
    return -(-left // SECOND)


def after_one_more(attempts: Attempts, now: int) -> Attempts:
    """What is known once one more attempt is made, which has not succeeded yet."""
    forgotten = now - attempts.last > FORGOTTEN_AFTER
    return Attempts(1 if forgotten else attempts.failed + 1, now)


def _wait_after(failed: int) -> int:
    beyond = failed - FREE_ATTEMPTS
    if beyond < 0:
        return 0
    return min(FIRST_WAIT << min(beyond, _DOUBLINGS), LONGEST_WAIT)
