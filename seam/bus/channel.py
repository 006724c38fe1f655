"""How a stub reaches whoever answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from seam.bus.contract import UnaryMethod
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class Channel(Protocol):
    """A way to the callee: in this process or over a network. Stubs are made from it."""

    def unary(self, method: UnaryMethod[Q, S], /) -> Callable[[Q, float | None], Awaitable[S]]:
        """Make the function that calls `method`.

        Returns:
            A function of request record and time limit in seconds (None for the contract's
            default). The limit never exceeds what the current call has left. It raises the
            typed errors that the method declares and `StatusError` for any other outcome.
        """
        ...
