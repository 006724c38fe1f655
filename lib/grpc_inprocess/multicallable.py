"""The methods of a stub: making one gives the four kinds of callables, calling one an RPC.

What is checked here is checked when the call is made: that its channel is open, its metadata
can be sent, its message is one. The RPC then begins at once, whether anybody awaits it or not.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import grpc

from lib.grpc_inprocess.calls import (
    StreamStreamCall,
    StreamUnaryCall,
    UnaryStreamCall,
    UnaryUnaryCall,
)
from lib.grpc_inprocess.interception import intercepted
from lib.grpc_inprocess.metadata import InvalidMetadataError, Pairs, from_client
from lib.grpc_inprocess.rpc import INVALID_METADATA, Rpc
from lib.grpc_inprocess.serialization import Deserializer, Serializer, serialized_by_client

Q = TypeVar("Q")
S = TypeVar("S")
Metadata = grpc.aio.Metadata | Sequence[tuple[str, str | bytes]]


class Wire(Protocol):
    """What a channel does for its methods."""

    def begin(
        self, method: str, metadata: Pairs, timeout: float | None, *, one_response: bool
    ) -> Rpc:
        """Make an RPC.

        Raises:
            UsageError: the channel is closed.
            RuntimeError: the call is made from another event loop than the server's.
        """
        ...

    def send(self, rpc: Rpc, *, wait_for_ready: bool) -> None:
        """Let the server answer it."""
        ...

    def track(self, call: grpc.aio.Call) -> None:
        """Cancel the call when the channel is closed before it ends."""
        ...


class _Method(Generic[Q, S], metaclass=ABCMeta):
    """A method of a service, as one kind of callable."""

    kind: str
    one_response: bool

    def __init__(
        self,
        wire: Wire,
        method: str,
        serializer: Callable[[Q], bytes] | None,
        deserializer: Callable[[bytes], S] | None,
        interceptors: Sequence[grpc.aio.ClientInterceptor],
    ) -> None:
        self._wire = wire
        self._method = method
        self._serializer: Serializer = serializer
        self._deserializer: Deserializer = deserializer
        self._interceptors = interceptors

    def _call(
        self,
        request: object,
        timeout: float | None,
        metadata: Metadata | None,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
    ) -> Any:  # noqa: ANN401
        method: Any = self._method
        if self._interceptors:
            # As grpc.aio does it: interceptors see the method's name as bytes.
            method = method.encode()
            if not isinstance(metadata, grpc.aio.Metadata):
                metadata = grpc.aio.Metadata(*(metadata or ()))
        details = grpc.aio.ClientCallDetails(
            method,
            timeout,
            metadata,  # type: ignore[arg-type]  # converted when the call is made
            credentials,
            wait_for_ready,
        )
        if self._interceptors:
            call = intercepted(self.kind, self._interceptors, request, details, self._invoke)
        else:
            call = self._invoke(details, request)
        self._wire.track(call)
        return call

    def _invoke(self, details: grpc.aio.ClientCallDetails, request: object) -> grpc.aio.Call:
        if details.credentials is not None:
            raise grpc.aio.UsageError("Call credentials are only valid on secure channels")
        method: str | bytes = details.method
        try:
            metadata, sendable = from_client(details.metadata), True
        except InvalidMetadataError:
            metadata, sendable = (), False
        rpc = self._wire.begin(
            method.decode() if isinstance(method, bytes) else method,
            metadata,
            details.timeout,
            one_response=self.one_response,
        )
        if not sendable:
            rpc.fail(INVALID_METADATA)
        call = self._start(rpc, request)
        self._wire.send(rpc, wait_for_ready=bool(details.wait_for_ready))
        return call

    @abstractmethod
    def _start(self, rpc: Rpc, request: Any) -> grpc.aio.Call:  # noqa: ANN401
        """Make the call object over `rpc`, which has not been sent yet."""


class UnaryUnary(_Method[Q, S], grpc.aio.UnaryUnaryMultiCallable[Q, S]):
    """See `grpc.aio.UnaryUnaryMultiCallable`."""

    kind = "UnaryUnary"
    one_response = True

    def __call__(
        self,
        request: Q,
        *,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> grpc.aio.UnaryUnaryCall[Q, S]:
        """Call the method.

        Args:
            request: the request.
            timeout: seconds that the call may take.
            metadata: pairs of name and value for the server.
            credentials: not supported: as on an insecure channel, they are refused.
            wait_for_ready: wait for the server to start, and do not fail.
            compression: has no effect, since nothing is compressed.

        Raises:
            UsageError: the channel is closed, or credentials are given.
            TypeError: metadata has the wrong type.
        """
        call: grpc.aio.UnaryUnaryCall[Q, S] = self._call(
            request, timeout, metadata, credentials, wait_for_ready
        )
        return call

    def _start(self, rpc: Rpc, request: Any) -> grpc.aio.Call:  # noqa: ANN401
        rpc.send_only_request(serialized_by_client(self._serializer, request))
        call: UnaryUnaryCall[Q, S] = UnaryUnaryCall(rpc, self._deserializer)
        return call


class UnaryStream(_Method[Q, S], grpc.aio.UnaryStreamMultiCallable[Q, S]):
    """See `grpc.aio.UnaryStreamMultiCallable`."""

    kind = "UnaryStream"
    one_response = False

    def __call__(
        self,
        request: Q,
        *,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> grpc.aio.UnaryStreamCall[Q, S]:
        """Call the method, see `UnaryUnary`."""
        call: grpc.aio.UnaryStreamCall[Q, S] = self._call(
            request, timeout, metadata, credentials, wait_for_ready
        )
        return call

    def _start(self, rpc: Rpc, request: Any) -> grpc.aio.Call:  # noqa: ANN401
        rpc.send_only_request(serialized_by_client(self._serializer, request))
        call: UnaryStreamCall[Q, S] = UnaryStreamCall(rpc, self._deserializer)
        return call


class StreamUnary(_Method[Q, S], grpc.aio.StreamUnaryMultiCallable[Q, S]):
    """See `grpc.aio.StreamUnaryMultiCallable`."""

    kind = "StreamUnary"
    one_response = True

    def __call__(  # noqa: PLR0917  # as gRPC has it
        self,
        request_iterator: AsyncIterable[Q] | Iterable[Q] | None = None,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> grpc.aio.StreamUnaryCall[Q, S]:
        """Call the method, see `UnaryUnary`; without an iterator, requests are written."""
        call: grpc.aio.StreamUnaryCall[Q, S] = self._call(
            request_iterator, timeout, metadata, credentials, wait_for_ready
        )
        return call

    def _start(self, rpc: Rpc, request: Any) -> grpc.aio.Call:  # noqa: ANN401
        call: StreamUnaryCall[Q, S] = StreamUnaryCall(
            rpc, self._serializer, self._deserializer, request
        )
        return call


class StreamStream(_Method[Q, S], grpc.aio.StreamStreamMultiCallable[Q, S]):
    """See `grpc.aio.StreamStreamMultiCallable`."""

    kind = "StreamStream"
    one_response = False

    def __call__(  # noqa: PLR0917  # as gRPC has it
        self,
        request_iterator: AsyncIterable[Q] | Iterable[Q] | None = None,
        timeout: float | None = None,
        metadata: Metadata | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> grpc.aio.StreamStreamCall[Q, S]:
        """Call the method, see `UnaryUnary`; without an iterator, requests are written."""
        call: grpc.aio.StreamStreamCall[Q, S] = self._call(
            request_iterator, timeout, metadata, credentials, wait_for_ready
        )
        return call

    def _start(self, rpc: Rpc, request: Any) -> grpc.aio.Call:  # noqa: ANN401
        call: StreamStreamCall[Q, S] = StreamStreamCall(
            rpc, self._serializer, self._deserializer, request
        )
        return call
