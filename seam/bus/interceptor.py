"""Code that runs around every call, on whatever transport it travels."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from seam.bus.contract import UnaryMethod
from seam.context import CallContext
from seam.records import Record

Invoke = Callable[[Record, CallContext], Coroutine[Any, Any, Record]]
"""Carries a request record and the call's context to what answers them."""


class Interceptor(Protocol):
    """Sees a call before and after what it surrounds; may answer, refuse or replace it.

    A client interceptor runs where the call is made, a server interceptor where it is answered,
    so both run once whether or not a network lies between them. Several run in the order in
    which they are given, the first outermost.
    """

    async def __call__(
        self, method: UnaryMethod[Any, Any], request: Record, call: CallContext, proceed: Invoke, /
    ) -> Record:
        """Handle one call.

        Args:
            method: the method that is called.
            request: its request record.
            call: the call's deadline and what else travels with it.
            proceed: takes request and call on, and gives the response record.

        Returns:
            The response record.
        """
        ...


def surround(
    invoke: Invoke, method: UnaryMethod[Any, Any], interceptors: Sequence[Interceptor]
) -> Invoke:
    """Wrap `invoke` in `interceptors` once, so that a call itself looks nothing up.

    Args:
        invoke: what the innermost interceptor proceeds to.
        method: the method that `invoke` calls.
        interceptors: outermost first.
    """
    for interceptor in reversed(interceptors):
        invoke = _around(invoke, method, interceptor)
    return invoke


def _around(invoke: Invoke, method: UnaryMethod[Any, Any], interceptor: Interceptor) -> Invoke:
    async def intercepted(request: Record, call: CallContext) -> Record:
        return await interceptor(method, request, call, invoke)

    return intercepted
