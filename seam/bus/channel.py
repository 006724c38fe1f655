"""How a stub reaches the service that answers it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from seam.bus.stream import ResponseStream
from seam.call.metadata import Metadata
from seam.contract.descriptors import MethodDescriptor
from seam.contract.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)

UnaryCall = Callable[[Q, float | None, Metadata | None], Coroutine[Any, Any, S]]
ServerStreamingCall = Callable[[Q, float | None, Metadata | None], ResponseStream[S]]
ClientStreamingCall = Callable[
    [AsyncIterable[Q], float | None, Metadata | None], Coroutine[Any, Any, S]
]
BidirectionalCall = Callable[[AsyncIterable[Q], float | None, Metadata | None], ResponseStream[S]]


class Channel(Protocol):
    """A way to the callee: in this process or over a network. Stubs are made from it.

    Each method gives a function of the request or requests, a time limit in seconds (None for the
    contract's default) and metadata. The limit never exceeds what the current call has left. A call
    raises the typed errors that its method declares, and `StatusError` for any other outcome.
    """

    def called_by(self, service: str, /) -> Channel:
        """The same way, for the calls that a service makes: callees learn its name."""
        ...

    def unary(self, method: MethodDescriptor[Q, S], /) -> UnaryCall[Q, S]:
        """Make the function that calls a method with one request and one response."""
        ...

    def server_streaming(self, method: MethodDescriptor[Q, S], /) -> ServerStreamingCall[Q, S]:
        """Make the function that calls a method with one request and many responses."""
        ...

    def client_streaming(self, method: MethodDescriptor[Q, S], /) -> ClientStreamingCall[Q, S]:
        """Make the function that calls a method with many requests and one response."""
        ...

    def bidirectional(self, method: MethodDescriptor[Q, S], /) -> BidirectionalCall[Q, S]:
        """Make the function that calls a method with many requests and many responses."""
        ...
