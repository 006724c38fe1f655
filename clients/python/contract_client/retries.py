"""When a call that has failed is tried again: only where its contract says that it may be."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from typing import Any, Final

from contract_client.errors import ApiError, Code
from contract_client.methods import Method

__all__ = ["Attempts", "Retries"]

_AGAIN: Final = (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
"""What may be over soon; not so an error that a contract declares, whatever its code."""


_LONGEST: Final = 30 * 86_400.0
"""Seconds; operating systems do not wait for what is much longer."""


@dataclass(frozen=True)
class Retries:
    """How often a call is tried, and how long is waited.

    Attributes:
        attempts: the most attempts of one call, the first one included.
        first: the most seconds until the second attempt; it doubles each time.
        longest: the most seconds between two attempts, unless the server asks for more.
    """

    attempts: int = 4
    first: float = 0.2
    longest: float = 5.0


class Attempts:
    """The attempts of one call.

    Args:
        method: what is called.
        retries: how often, and how long between.
        timeout: seconds for all of them.

    Raises:
        ValueError: the time-out is no number.
    """

    def __init__(self, method: Method[Any], retries: Retries, timeout: float) -> None:
        try:
            is_number = not math.isnan(timeout)
        except TypeError:
            is_number = False
        if not is_number:
            raise ValueError(f"timeout: expected a number of seconds, got {timeout!r}")
        self._may_repeat = method.is_repeatable or method.has_key
        self._retries = retries
        self._deadline = time.monotonic() + min(timeout, _LONGEST)
        self._made = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the call must have ended.

        Raises:
            ApiError: there are none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ApiError(Code.DEADLINE_EXCEEDED, "the call has taken longer than it may")
        return left

    def pause(self, failure: ApiError) -> float:
        """Seconds to wait before the next attempt.

        Args:
            failure: how the last one ended.

        Raises:
            ApiError: the failure, because there is no next attempt.
        """
        self._made += 1
        may_repeat = (self._may_repeat or failure.unsent) and not failure.is_final
        if failure.code not in _AGAIN or failure.name or not may_repeat:
            raise failure
        if self._made >= self._retries.attempts:
            raise failure
        longest = min(self._retries.first * 2 ** (self._made - 1), self._retries.longest)
        # Many that have failed together must not come back together.
        random_pause = random.uniform(0, longest)  # noqa: S311
        pause = random_pause if failure.retry_after is None else failure.retry_after
        if time.monotonic() + pause >= self._deadline:
            raise failure
        return pause
