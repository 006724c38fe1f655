"""Retries of calls over NATS, which are gRPC's own on the other transport."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

from seam.bus.retry_policy import (
    ATTEMPTS,
    BACKOFF_MULTIPLIER,
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    TOKEN_RATIO,
    TOKENS,
)
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError


class Retries:
    """Decides which calls to one service are made again, and keeps the budget of all of them."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        """Begin with a full budget."""
        self._tokens = float(TOKENS)

    def succeeded(self) -> None:
        """Note that a call went well."""
        if self._tokens < TOKENS:
            self._tokens = min(float(TOKENS), self._tokens + TOKEN_RATIO)

    def pause(
        self, method: MethodDescriptor[Any, Any], error: StatusError, attempt: int, deadline: float
    ) -> float | None:
        """Seconds to wait before a call is made again; None when it is not.

        Args:
            method: the method that was called.
            error: how the call failed, before any of its answer was seen.
            attempt: how often it was made.
            deadline: when the call ends.
        """
        if error.code is not Code.UNAVAILABLE or not method.retriable:
            return None
        self._tokens = max(0.0, self._tokens - 1)
        if attempt >= ATTEMPTS or self._tokens <= TOKENS / 2:
            return None
        backoff = min(FIRST_BACKOFF * BACKOFF_MULTIPLIER ** (attempt - 1), LONGEST_BACKOFF)
        # A fifth more or less, as gRPC has it. It spreads callers, and keeps no secret.
        backoff *= random.uniform(0.8, 1.2)  # noqa: S311
        return backoff if monotonic() + backoff < deadline else None
