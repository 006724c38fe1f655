"""What answers that last have in common: how many there are, and how they learn that they end.

A stream holds its connection, and a place among the calls of the service that answers it, for as
long as it lasts. So a server has so many and no more, and tells all of them when it is about to
leave: their clients go elsewhere, and resume there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from litestar import Response
from litestar.types import Receive, Scope, Send

from seam.call.context import current_principal
from seam.contract import Code, StatusError

MAXIMUM_STREAMS: Final = 2_000
"""Streams that are open in a server at a time."""

MAXIMUM_OF_ONE: Final = 100
"""Those of one principal, so that nobody who is signed in takes the places of everybody."""

UNREAD_SECONDS: Final = 10.0
"""How long a client may leave what it was sent, before it is cut off."""

_STREAMS: Final = "streams"
_CUT_OFF: Final = "cut_off"

ProblemOf = Callable[[Exception], Response[bytes]]
"""Makes the problem that tells a client of an error."""


class Streamed(Protocol):
    """An answer that is more than one body."""

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, problem_of: ProblemOf
    ) -> None:
        """Answer a request.

        Args:
            scope: what ASGI says of it.
            receive: gives what comes from the client.
            send: takes the answer.
            problem_of: describes an error of which the client is told after the beginning.

        Raises:
            Exception: the request is refused, and nothing was sent.
        """
        ...


class Streams:
    """The streams of one server."""

    def __init__(
        self, maximum: int = MAXIMUM_STREAMS, maximum_of_one: int = MAXIMUM_OF_ONE
    ) -> None:
        """Begin with none.

        Args:
            maximum: how many there may be at a time.
            maximum_of_one: how many of them one principal may have.
        """
        self.leaving = asyncio.Event()
        self._maximum = maximum
        self._maximum_of_one = maximum_of_one
        self._count = 0
        self._of_principals: Counter[str] = Counter()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a stream of who asks while the block lasts.

        Raises:
            StatusError: UNAVAILABLE, because there are too many, or the server is about to leave;
                RESOURCE_EXHAUSTED, because the principal has too many.
        """
        if self.leaving.is_set():
            raise StatusError(Code.UNAVAILABLE, "the process ends; connect again")
        if self._count >= self._maximum:
            raise StatusError(Code.UNAVAILABLE, "too many streams are open; try again later")
        subject = current_principal().subject
        if subject and self._of_principals[subject] >= self._maximum_of_one:
            detail = f"expected at most {self._maximum_of_one} streams of one principal at a time"
            raise StatusError(Code.RESOURCE_EXHAUSTED, detail)
        self._count += 1
        self._of_principals[subject] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._of_principals[subject] -= 1
            if not self._of_principals[subject]:
                del self._of_principals[subject]

    def state(self, cut_off: Callable[[str], None]) -> dict[str, Any]:
        """What the requests of a connection know, as the `state` of their ASGI scopes.

        Args:
            cut_off: ends the connection at once; takes the reason, for the log.
        """
        return {_STREAMS: self, _CUT_OFF: cut_off}


def streams_of(scope: Scope) -> Streams:
    """The streams of the server that a request came to."""
    found: Streams | None = _state(scope).get(_STREAMS)
    return Streams() if found is None else found


def cut_off(scope: Scope, reason: str) -> None:
    """End the connection of a request at once, where its server lets us.

    Args:
        scope: what ASGI says of the request.
        reason: why; one of few texts.
    """
    end: Callable[[str], None] | None = _state(scope).get(_CUT_OFF)
    if end is not None:
        end(reason)


def _state(scope: Scope) -> dict[str, Any]:
    state: dict[str, Any] = scope.get("state") or {}
    return state
