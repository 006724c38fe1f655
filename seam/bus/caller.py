"""The caller's side of a call: the same for every transport.

Every call has a deadline: the contract's default or the caller's own limit, and never later
than the deadline of the call that it is made from. Who ends the call at that moment differs:
gRPC does it by itself; in one process a timer is armed, but only by a call that is the first of
its task or must end before its caller's, because the timer armed there ends this one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Sequence
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeVar

from seam.bus.channel import (
    BidirectionalCall,
    ClientStreamingCall,
    ServerStreamingCall,
    UnaryCall,
)
from seam.bus.contract import Method
from seam.bus.interceptor import (
    Interceptor,
    Invoke,
    StreamInvoke,
    surround,
    surround_stream,
)
from seam.bus.stream import ResponseStream
from seam.context import NOTHING, CallContext, Metadata, current_call
from seam.errors import Code, StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)
T = TypeVar("T")


def unary_caller(
    method: Method[Q, S],
    transport: Invoke,
    interceptors: Sequence[Interceptor] = (),
    *,
    ends_calls: bool,
) -> UnaryCall[Q, S]:
    """Make what a stub calls for a method without streams.

    Args:
        method: the method that is called.
        transport: takes the request record to the callee and gives its response.
        interceptors: client interceptors, outermost first.
        ends_calls: whether the transport itself ends a call at its deadline.
    """
    invoke = surround(transport, method, interceptors)
    default = method.timeout

    async def call(request: Q, limit: float | None, metadata: Metadata | None) -> S:
        # The fast path of the whole system: written out, and measured in benchmarks/bus.py.
        outer = current_call.get()
        now = monotonic()
        deadline = now + (default if limit is None else limit)
        task = asyncio.current_task()
        sent = NOTHING if metadata is None else metadata.sent
        ends = ends_calls
        if outer is None:
            context = CallContext(deadline, task, "", "", NOTHING, sent)
        else:
            if outer.deadline <= deadline:
                deadline = outer.deadline
                ends = ends or outer.task is task
            context = CallContext(deadline, task, outer.trace, outer.principal, outer.baggage, sent)
        if deadline <= now:
            raise deadline_exceeded(method)
        try:
            if ends:
                # Interceptors speak of records; the method's own types come out of the endpoint.
                return await invoke(request, context)  # type: ignore[return-value]
            answer = timed(method, invoke(request, context), deadline)
            return await answer  # type: ignore[return-value]
        finally:
            if metadata is not None:
                metadata.received = MappingProxyType(context.response_metadata)

    return call


def bidirectional_caller(
    method: Method[Q, S], transport: StreamInvoke, interceptors: Sequence[Interceptor] = ()
) -> BidirectionalCall[Q, S]:
    """Make what a stub calls for a method with streams both ways.

    Args:
        method: the method that is called.
        transport: takes the requests to the callee and gives its responses.
        interceptors: client interceptors, outermost first.
    """
    invoke = surround_stream(transport, method, interceptors)

    def call(
        requests: AsyncIterable[Q], limit: float | None, metadata: Metadata | None
    ) -> ResponseStream[S]:
        outer = current_call.get() or CallContext(float("inf"))
        now = monotonic()
        wished = now + (method.timeout if limit is None else limit)
        deadline = min(wished, outer.deadline)

        async def respond(outgoing: AsyncIterator[Any]) -> AsyncIterator[Record]:
            context = CallContext(
                deadline,
                asyncio.current_task(),
                outer.trace,
                outer.principal,
                outer.baggage,
                NOTHING if metadata is None else metadata.sent,
            )
            responses = invoke(outgoing, context)
            try:
                async for response in responses:
                    yield response
            finally:
                await close(responses)
                if metadata is not None:
                    metadata.received = MappingProxyType(context.response_metadata)

        return ResponseStream(
            respond, requests, max(0.0, deadline - now), deadline_exceeded(method)
        )

    return call


def server_streaming_caller(
    method: Method[Q, S], transport: StreamInvoke, interceptors: Sequence[Interceptor] = ()
) -> ServerStreamingCall[Q, S]:
    """Make what a stub calls for a method that answers one request with a stream."""
    many = bidirectional_caller(method, transport, interceptors)

    def call(request: Q, limit: float | None, metadata: Metadata | None) -> ResponseStream[S]:
        return many(once(request), limit, metadata)

    return call


def client_streaming_caller(
    method: Method[Q, S], transport: StreamInvoke, interceptors: Sequence[Interceptor] = ()
) -> ClientStreamingCall[Q, S]:
    """Make what a stub calls for a method that answers a stream of requests once."""
    many = bidirectional_caller(method, transport, interceptors)

    async def call(requests: AsyncIterable[Q], limit: float | None, metadata: Metadata | None) -> S:
        async with many(requests, limit, metadata) as responses:
            return await only(responses, method)

    return call


async def once(item: T) -> AsyncIterator[T]:
    """A stream of one item."""
    yield item


async def only(items: AsyncIterator[T], method: Method[Any, Any]) -> T:
    """The one item of a stream.

    Raises:
        StatusError: INTERNAL, because there is none or a second one.
    """
    found = [item async for item in items]
    if len(found) != 1:
        raise StatusError(Code.INTERNAL, f"{method.full_name}: {len(found)} records, expected one")
    return found[0]


async def close(iterator: object) -> None:
    """Close an asynchronous iterator that can be closed."""
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()


async def timed(method: Method[Any, Any], answer: Coroutine[Any, Any, T], deadline: float) -> T:
    """Await `answer` and end it at `deadline`.

    Args:
        method: the method that is called, for the error's text.
        answer: the running call.
        deadline: on the clock of `time.monotonic`, in seconds.

    Raises:
        StatusError: DEADLINE_EXCEEDED, also when the callee answers after its time all the same.
    """
    loop = asyncio.get_running_loop()
    timer = asyncio.timeout_at(loop.time() + deadline - monotonic())
    try:
        async with timer:
            response = await answer
    except (TimeoutError, StatusError):
        if timer.expired():
            raise deadline_exceeded(method) from None
        raise
    if timer.expired():
        raise deadline_exceeded(method)
    return response


def deadline_exceeded(method: Method[Any, Any]) -> StatusError:
    """The status of a call whose time ran out, in the same words on every transport."""
    return StatusError(Code.DEADLINE_EXCEEDED, f"{method.full_name} exceeded its deadline")
