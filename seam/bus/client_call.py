"""The client's side of a call: the same for every transport.

Every call has a deadline: the contract's default or the caller's own limit, and never later
than the deadline of the call that it is made from. The transport ends the call at that moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeVar

from seam.bus.channel import (
    BidirectionalCall,
    ClientStreamingCall,
    ServerStreamingCall,
    UnaryCall,
)
from seam.bus.deadline import check_timeout, deadline_exceeded
from seam.bus.interceptor import (
    Interceptor,
    Invoke,
    StreamInvoke,
    surround,
    surround_stream,
)
from seam.bus.stream import ResponseStream
from seam.bus.streams import close, once, only
from seam.call.context import CallContext, current_call
from seam.call.metadata import EMPTY, Metadata
from seam.call.principal import ANONYMOUS
from seam.codec.message_size import check_message_size
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, InvalidField, StatusError
from seam.contract.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


def unary_client_call(
    method: MethodDescriptor[Q, S],
    transport: Invoke,
    interceptors: Sequence[Interceptor] = (),
    caller: str = "",
) -> UnaryCall[Q, S]:
    """Make what a stub calls for a method without streams.

    Args:
        method: the method that is called.
        transport: takes the request record to the callee and gives its response; ends the call at
            its deadline.
        interceptors: client interceptors, outermost first.
        caller: name of the service that calls; "" for calls from outside.
    """
    if interceptors:
        transport = _in_time(transport, method)
    invoke = surround(transport, method, interceptors)
    default = method.timeout

    async def call(request: Q, limit: float | None, metadata: Metadata | None) -> S:
        # The fast path of the whole system: written out, and measured in benchmarks/bus.py.
        outer = current_call.get()
        now = monotonic()
        deadline = now + (default if limit is None else check_timeout(limit))
        sent = EMPTY if metadata is None else metadata.sent
        if outer is None:
            context = CallContext(deadline, "", ANONYMOUS, EMPTY, sent, caller)
        else:
            if outer.deadline < deadline:  # noqa: PLR1730 (a fifth of the cost of `min`)
                deadline = outer.deadline
            context = CallContext(
                deadline,
                outer.traceparent,
                outer.principal,
                outer.baggage,
                sent,
                caller,
                outer.tracestate,
            )
        if deadline <= now:
            raise deadline_exceeded(method)
        if metadata is None:
            # Interceptors speak of records; the method's own types come out of the server call.
            return await invoke(request, context)  # type: ignore[return-value]
        try:
            return await invoke(request, context)  # type: ignore[return-value]
        finally:
            _answered(metadata, context)

    return call


def bidirectional_client_call(
    method: MethodDescriptor[Q, S],
    transport: StreamInvoke,
    interceptors: Sequence[Interceptor] = (),
    caller: str = "",
) -> BidirectionalCall[Q, S]:
    """Make what a stub calls for a method with streams both ways.

    Args:
        method: the method that is called.
        transport: takes the requests to the callee and gives its responses.
        interceptors: client interceptors, outermost first.
        caller: name of the service that calls; "" for calls from outside.
    """
    if interceptors:
        transport = _stream_in_time(transport, method)
    invoke = surround_stream(transport, method, interceptors)

    def call(
        requests: AsyncIterable[Q], limit: float | None, metadata: Metadata | None
    ) -> ResponseStream[S]:
        outer = current_call.get() or CallContext(float("inf"))
        now = monotonic()
        wished = now + (method.timeout if limit is None else check_timeout(limit))
        deadline = min(wished, outer.deadline)

        async def respond(outgoing: AsyncIterator[Any]) -> AsyncIterator[Record]:
            if deadline <= monotonic():
                raise deadline_exceeded(method)
            context = CallContext(
                deadline,
                outer.traceparent,
                outer.principal,
                outer.baggage,
                EMPTY if metadata is None else metadata.sent,
                caller,
                outer.tracestate,
            )
            responses = invoke(outgoing, context)
            try:
                async for response in responses:
                    yield response
            except StatusError:
                _answered(metadata, context)
                raise
            else:
                _answered(metadata, context)
            finally:
                await close(responses)

        return ResponseStream(
            respond, requests, max(0.0, deadline - now), deadline_exceeded(method)
        )

    return call


def server_streaming_client_call(
    method: MethodDescriptor[Q, S],
    transport: StreamInvoke,
    interceptors: Sequence[Interceptor] = (),
    caller: str = "",
) -> ServerStreamingCall[Q, S]:
    """Make what a stub calls for a method that answers one request with a stream."""
    many = bidirectional_client_call(method, transport, interceptors, caller)

    def call(request: Q, limit: float | None, metadata: Metadata | None) -> ResponseStream[S]:
        return many(once(request), limit, metadata)

    return call


def client_streaming_client_call(
    method: MethodDescriptor[Q, S],
    transport: StreamInvoke,
    interceptors: Sequence[Interceptor] = (),
    caller: str = "",
) -> ClientStreamingCall[Q, S]:
    """Make what a stub calls for a method that answers a stream of requests once."""
    many = bidirectional_client_call(method, transport, interceptors, caller)

    async def call(requests: AsyncIterable[Q], limit: float | None, metadata: Metadata | None) -> S:
        async with many(requests, limit, metadata) as responses:
            return await only(responses, method)

    return call


def _in_time(transport: Invoke, method: MethodDescriptor[Any, Any]) -> Invoke:
    """Make no call whose time has passed while its interceptors ran."""

    def proceed(request: Record, call: CallContext) -> Awaitable[Record]:
        if call.deadline <= monotonic():
            raise deadline_exceeded(method)
        return transport(request, call)

    return proceed


def _stream_in_time(transport: StreamInvoke, method: MethodDescriptor[Any, Any]) -> StreamInvoke:
    """As `_in_time`, for calls with streams."""

    def proceed(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        if call.deadline <= monotonic():
            raise deadline_exceeded(method)
        return transport(requests, call)

    return proceed


def _answered(metadata: Metadata | None, context: CallContext) -> None:
    if metadata is not None:
        # A copy, because a handler that is left behind may still say something.
        metadata.received = MappingProxyType(dict(context.trailing_metadata))


def request_encoder(method: MethodDescriptor[Any, Any]) -> Callable[[Record], bytes]:
    """Make what writes requests to the wire on the caller's side.

    Returns:
        A function of a request record. It raises `InvalidField` for what is none, and `StatusError`
        with RESOURCE_EXHAUSTED for one that is too large.
    """
    encode = method.request.encode

    def write(request: Record) -> bytes:
        payload = encode(request)
        check_message_size(method, payload)
        return payload

    return write


def response_decoder(method: MethodDescriptor[Any, Any]) -> Callable[[bytes], Record]:
    """Make what reads responses from the wire on the caller's side.

    Returns:
        A function of a serialized response. It raises `StatusError` with INTERNAL for what is no
        such record, because the provider broke the contract.
    """
    decode = method.response.decode

    def read(payload: bytes) -> Record:
        try:
            response: Record = decode(payload)
        except InvalidField as error:
            raise StatusError(
                Code.INTERNAL, f"{method.full_name} answered against its contract: {error}"
            ) from None
        return response

    return read
