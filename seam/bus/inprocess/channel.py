"""Calls between services of one process.

By default records pass by reference: they are immutable, so neither side can tell. In strict
mode every request, response and error goes through its wire form, as it would on a network, so
a value that only looks right fails in a test and not on the day the service is broken out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from copy import copy
from typing import Any, TypeVar

from seam.bus.channel import (
    BidirectionalCall,
    ClientStreamingCall,
    ServerStreamingCall,
    UnaryCall,
)
from seam.bus.client_call import (
    bidirectional_client_call,
    client_streaming_client_call,
    server_streaming_client_call,
    unary_client_call,
)
from seam.bus.inprocess.strict import strict, strict_stream
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.registry import HandlerRegistry
from seam.call.context import CallContext
from seam.contract.descriptors import MethodDescriptor
from seam.contract.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class InProcessChannel:
    """Carries calls to the handlers of this process."""

    def __init__(
        self,
        registry: HandlerRegistry,
        *,
        strict: bool = False,
        client_interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Make a channel to what is registered in `registry`, now or later.

        Args:
            registry: the handlers.
            strict: send every record through its wire form.
            client_interceptors: run where a call is made, outermost first.
        """
        self._registry = registry
        self._strict = strict
        self._client_interceptors = tuple(client_interceptors)
        self._caller = ""

    def called_by(self, service: str) -> InProcessChannel:
        """See `Channel`."""
        bound = copy(self)
        bound._caller = service  # noqa: SLF001
        return bound

    def unary(self, method: MethodDescriptor[Q, S]) -> UnaryCall[Q, S]:
        """See `Channel`. The handler may be registered after the stub is made."""
        found: Invoke | None = None

        def transport(request: Record, call: CallContext) -> Awaitable[Record]:
            nonlocal found
            if found is None:
                found = self._registry.server_call(method)
            return found(request, call)

        carried = strict(method, transport) if self._strict else transport
        return unary_client_call(method, carried, self._client_interceptors, self._caller)

    def server_streaming(self, method: MethodDescriptor[Q, S]) -> ServerStreamingCall[Q, S]:
        """See `Channel`."""
        return server_streaming_client_call(
            method, self._stream(method), self._client_interceptors, self._caller
        )

    def client_streaming(self, method: MethodDescriptor[Q, S]) -> ClientStreamingCall[Q, S]:
        """See `Channel`."""
        return client_streaming_client_call(
            method, self._stream(method), self._client_interceptors, self._caller
        )

    def bidirectional(self, method: MethodDescriptor[Q, S]) -> BidirectionalCall[Q, S]:
        """See `Channel`."""
        return bidirectional_client_call(
            method, self._stream(method), self._client_interceptors, self._caller
        )

    def _stream(self, method: MethodDescriptor[Any, Any]) -> StreamInvoke:
        def transport(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
            return self._registry.stream_server_call(method)(requests, call)

        return strict_stream(method, transport) if self._strict else transport
