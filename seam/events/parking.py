"""What becomes of events whose handler fails: rows of parked events, and lines of the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from seam.contract import Code, StatusError
from seam.events.event import Event, microseconds
from seam.events.failures import DatabaseAwayError
from seam.events.policy import Policy
from seam.persistence import Database

log = logging.getLogger(__name__)

MAXIMUM_REASON: Final = 1_000
"""Characters of what is kept of an error."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event is parked.

    Attributes:
        reason: what went wrong.
        hopeless: whether it would go wrong each time.
    """

    reason: str
    hopeless: bool = False


def parked(
    service: str, owner: str, event: Event, failure: Failure, policy: Policy
) -> dict[str, object]:
    """The row of an event whose first attempt has failed; if it is its last, the log says so."""
    dead = failure.hopeless or policy.attempts <= 1
    if dead:
        tell_dead(service, event, failure.reason)
    due = microseconds() + int(policy.delay(1) * 1e6)
    return _row(owner, event) | {
        "attempts": 1,
        "reason": failure.reason,
        "dead": dead,
        "next_attempt": None if dead else due,
    }


def parked_behind(owner: str, event: Event) -> dict[str, object]:
    """The row of an event that waits for an earlier one of its key."""
    behind = {"attempts": 0, "reason": "", "dead": False, "next_attempt": None}
    return _row(owner, event) | behind


def reason_of(error: Exception) -> str:
    """What is kept of an error: its type, and the beginning of its text."""
    return f"{type(error).__name__}: {error}".replace("\0", "").strip()[:MAXIMUM_REASON]


def tell_failed(service: str, event: Event, reason: str, attempt: int = 1) -> None:
    """Say in the log that a handler has failed, and how often it has by now."""
    log.warning(
        "%s failed to handle %s %s, attempt %d: %s", service, event.type, event.id, attempt, reason
    )


def tell_dead(service: str, event: Event, reason: str) -> None:
    """Say in the log that an event is a dead letter now."""
    log.error(
        "%s %s is a dead letter of %s: %s; see the command `events dead`",
        event.type,
        event.id,
        service,
        reason,
    )


async def check_database(database: Database, error: Exception) -> None:
    """Find out whether a handler failed because its database is away.

    Raises:
        DatabaseAwayError: it did.
    """
    # Most errors are of another kind, and need no question.
    if isinstance(error, StatusError) and error.code is Code.UNAVAILABLE:
        problem = await database.problem()
        if problem is not None:
            raise DatabaseAwayError(problem) from None


def _row(owner: str, event: Event) -> dict[str, object]:
    return {
        "owner": owner,
        "id": event.id,
        "type": event.type,
        "key": event.key,
        "time": event.time,
        "traceparent": event.traceparent,
        "data": event.data,
    }
