"""Calls between services of one process.

By default records pass by reference: they are immutable, so neither side can tell. In strict
mode every request, response and error goes through its wire form, as it would on a network, so
a value that only looks right fails in a test and not on the day the service is broken out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

from seam.bus.bulkhead import Bulkhead
from seam.bus.caller import (
    bidirectional_caller,
    client_streaming_caller,
    close,
    server_streaming_caller,
    unary_caller,
)
from seam.bus.channel import (
    BidirectionalCall,
    ClientStreamingCall,
    ServerStreamingCall,
    UnaryCall,
)
from seam.bus.contract import Binding, Kind, Method
from seam.bus.endpoint import (
    endpoint,
    request_decoder,
    request_encoder,
    response_decoder,
    response_encoder,
    stream_endpoint,
)
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.status import StatusCodec
from seam.context import CallContext
from seam.errors import Code, InvalidField, StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class InProcessChannel:
    """Carries calls to the handlers that are bound in this process."""

    def __init__(
        self,
        *,
        strict: bool = False,
        client_interceptors: Sequence[Interceptor] = (),
        server_interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Make a channel without handlers.

        Args:
            strict: send every record through its wire form.
            client_interceptors: run where a call is made, outermost first.
            server_interceptors: run where a call is answered, outermost first.
        """
        self._strict = strict
        self._client_interceptors = tuple(client_interceptors)
        self._server_interceptors = tuple(server_interceptors)
        self._endpoints: dict[str, Invoke] = {}
        self._stream_endpoints: dict[str, StreamInvoke] = {}

    def bind(self, binding: Binding, bulkhead: Bulkhead | None = None) -> None:
        """Let `binding` answer the calls of its contract.

        Args:
            binding: the contract service and its handlers.
            bulkhead: counts the calls that are answered at a time; by default one of its own.

        Raises:
            ValueError: the contract is bound already.
        """
        bulkhead = bulkhead or Bulkhead(binding.contract.owner)
        for method in binding.contract.methods:
            name, handler = method.full_name, binding.handlers[method.name]
            if name in self._endpoints or name in self._stream_endpoints:
                raise ValueError(f"{binding.contract.name} is bound twice in one process")
            if method.kind is Kind.UNARY:
                self._endpoints[name] = endpoint(
                    method, handler, self._server_interceptors, bulkhead
                )
            else:
                self._stream_endpoints[name] = stream_endpoint(
                    method, handler, self._server_interceptors, bulkhead
                )

    def endpoint(self, method: Method[Any, Any]) -> Invoke:
        """The function that answers a method without streams, whichever way a call came in.

        Raises:
            StatusError: UNAVAILABLE, because no handler is bound for it.
        """
        serve = self._endpoints.get(method.full_name)
        if serve is None:
            raise _not_served(method)
        return serve

    def stream_endpoint(self, method: Method[Any, Any]) -> StreamInvoke:
        """As `endpoint`, for a method with streams."""
        serve = self._stream_endpoints.get(method.full_name)
        if serve is None:
            raise _not_served(method)
        return serve

    def unary(self, method: Method[Q, S]) -> UnaryCall[Q, S]:
        """See `Channel`. The handler may be bound after the stub is made."""

        def transport(request: Record, call: CallContext) -> Coroutine[Any, Any, Record]:
            return self.endpoint(method)(request, call)

        carried = _strict(method, transport) if self._strict else transport
        return unary_caller(method, carried, self._client_interceptors, ends_calls=False)

    def server_streaming(self, method: Method[Q, S]) -> ServerStreamingCall[Q, S]:
        """See `Channel`."""
        return server_streaming_caller(method, self._stream(method), self._client_interceptors)

    def client_streaming(self, method: Method[Q, S]) -> ClientStreamingCall[Q, S]:
        """See `Channel`."""
        return client_streaming_caller(method, self._stream(method), self._client_interceptors)

    def bidirectional(self, method: Method[Q, S]) -> BidirectionalCall[Q, S]:
        """See `Channel`."""
        return bidirectional_caller(method, self._stream(method), self._client_interceptors)

    def _stream(self, method: Method[Any, Any]) -> StreamInvoke:
        def transport(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
            return self.stream_endpoint(method)(requests, call)

        return _strict_stream(method, transport) if self._strict else transport


def _not_served(method: Method[Any, Any]) -> StatusError:
    return StatusError(Code.UNAVAILABLE, f"{method.full_name} is not served here")


def _strict(method: Method[Any, Any], transport: Invoke) -> Invoke:
    """Put the wire between caller and callee without a network."""
    write_request, read_request = request_encoder(method), request_decoder(method)
    write_response, read_response = response_encoder(method), response_decoder(method)
    status = StatusCodec(method)

    async def invoke(request: Record, call: CallContext) -> Record:
        payload = write_request(request)
        try:
            answer = write_response(await transport(read_request(payload), call))
        except StatusError as error:
            raise status.unpack(status.pack(error)) from None
        return read_response(answer)

    return invoke


def _strict_stream(method: Method[Any, Any], transport: StreamInvoke) -> StreamInvoke:
    write_request, read_request = request_encoder(method), request_decoder(method)
    write_response, read_response = response_encoder(method), response_decoder(method)
    status = StatusCodec(method)

    async def invoke(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        refused: list[InvalidField | StatusError] = []

        async def through_the_wire() -> AsyncIterator[Record]:
            async for request in requests:
                try:
                    payload = write_request(request)
                except (InvalidField, StatusError) as error:
                    refused.append(error)
                    raise
                yield read_request(payload)

        responses = transport(through_the_wire(), call)
        try:
            async for response in responses:
                yield read_response(write_response(response))
        except StatusError as error:
            # A request that cannot travel is the caller's own mistake.
            raise refused[0] if refused else status.unpack(status.pack(error)) from None
        finally:
            await close(responses)

    return invoke
