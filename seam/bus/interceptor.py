"""Code that runs around every call, on whatever transport it travels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from seam.call.context import CallContext
from seam.contract.descriptors import MethodDescriptor
from seam.contract.records import Record

Invoke = Callable[[Record, CallContext], Awaitable[Record]]
"""Carries a request and the call's context to what answers them."""

StreamInvoke = Callable[[AsyncIterator[Record], CallContext], AsyncIterator[Record]]
"""Carries a stream of requests and the call's context to what answers them with a stream."""


class Interceptor(Protocol):
    """Sees a call before and after what it surrounds; may answer, refuse or replace it.

    A client interceptor runs where the call is made, a server interceptor where it is answered,
    so both run once whether or not a network lies between them. Several run in the order in
    which they are given, the first outermost.
    """

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
        /,
    ) -> Record:
        """Handle a call with one request and one response.

        Args:
            method: the method that is called.
            request: its request record.
            call: the call's deadline and what else travels with it.
            proceed: takes request and call on, and gives the response record.

        Returns:
            The response record.
        """
        ...

    def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
        /,
    ) -> AsyncIterator[Record]:
        """Handle a call whose request, response or both are streams.

        Args:
            method: the method that is called.
            requests: its requests; a single one when the method takes no stream.
            call: the call's deadline and what else travels with it.
            proceed: takes requests and call on, and gives the responses.

        Returns:
            The responses; a single one when the method gives no stream.
        """
        ...


def surround(
    invoke: Invoke, method: MethodDescriptor[Any, Any], interceptors: Sequence[Interceptor]
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


def surround_stream(
    invoke: StreamInvoke, method: MethodDescriptor[Any, Any], interceptors: Sequence[Interceptor]
) -> StreamInvoke:
    """As `surround`, for calls with streams."""
    for interceptor in reversed(interceptors):
        invoke = _around_stream(invoke, method, interceptor)
    return invoke


def _around(invoke: Invoke, method: MethodDescriptor[Any, Any], interceptor: Interceptor) -> Invoke:
    def intercepted(request: Record, call: CallContext) -> Awaitable[Record]:
        return interceptor.unary(method, request, call, invoke)

    return intercepted


def _around_stream(
    invoke: StreamInvoke, method: MethodDescriptor[Any, Any], interceptor: Interceptor
) -> StreamInvoke:
    def intercepted(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        return interceptor.stream(method, requests, call, invoke)

    return intercepted
