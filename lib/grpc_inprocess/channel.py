"""A `grpc.aio.Channel` to a server of the same process; generated stubs are made from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeVar

import grpc

from lib.grpc_inprocess.interception import by_kind
from lib.grpc_inprocess.metadata import Pairs
from lib.grpc_inprocess.multicallable import StreamStream, StreamUnary, UnaryStream, UnaryUnary
from lib.grpc_inprocess.options import Limits, Options, size_limits
from lib.grpc_inprocess.rpc import Rpc
from lib.grpc_inprocess.server import LocalServer

_CLOSED: Final = "Channel is closed."

Q = TypeVar("Q")
S = TypeVar("S")
Encode = Callable[[Q], bytes]
Decode = Callable[[bytes], S]


class LocalChannel(grpc.aio.Channel):
    """Carries calls to a `LocalServer`, see `grpc.aio.Channel`."""

    def __init__(
        self,
        server: LocalServer,
        *,
        options: Options | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
        interceptors: Sequence[grpc.aio.ClientInterceptor] | None = None,
    ) -> None:
        """Make a channel, with the arguments of `grpc.aio.insecure_channel` but a server.

        The server may be started later.

        Args:
            server: who answers.
            options: limits of sizes; see `lib.grpc_inprocess.options`.
            compression: has no effect, since nothing is compressed.
            interceptors: run around every call of their kind, outermost first.

        Raises:
            ValueError: an interceptor is not one of `grpc.aio`.
            NotImplementedError: an option cannot be honoured.
        """
        self._server = server
        self._interceptors = by_kind(interceptors)
        client, callee = size_limits(options), server.size_limits
        self._requests = Limits("CLIENT", client.sent, callee.received, callee.metadata)
        self._responses = Limits("SERVER", callee.sent, client.received, client.metadata)
        self._calls: set[grpc.aio.Call] = set()
        self._used = False
        self._used_after_stop = False
        self._closing = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Take no more calls, and cancel those under way. Once is enough: it does nothing again.

        Args:
            grace: seconds that they may take until then; None for none.

        Raises:
            ValueError: the time is negative.
        """
        if self._closing:
            return
        if grace and grace < 0:
            raise ValueError(f"grace must be non-negative, got {grace}.")
        self._closing = True
        try:
            if grace and self._calls:
                with suppress(TimeoutError):
                    async with asyncio.timeout(grace):
                        codes = (call.code() for call in self._calls)
                        await asyncio.gather(*codes, return_exceptions=True)
        finally:
            self._closed = True
            self._server.changed.wake()
            for call in tuple(self._calls):
                call.cancel()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """IDLE until the channel is used, then whether the server runs; SHUTDOWN when closed.

        Args:
            try_to_connect: use the channel; the state before that is returned.
        """
        state = self._state()
        if try_to_connect:
            self._use()
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state is another one.

        Raises:
            UsageError: the channel is closed, or being closed.
        """
        if self._closing:
            raise grpc.aio.UsageError(_CLOSED)
        while self._state() is last_observed_state:
            await self._server.changed.wait()

    async def channel_ready(self) -> None:
        """Wait until the server runs.

        Raises:
            UsageError: the channel is closed.
        """
        while (state := self.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            await self.wait_for_state_change(state)

    def unary_unary(
        self,
        method: str,
        request_serializer: Encode[Q] | None = None,
        response_deserializer: Decode[S] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.aio.UnaryUnaryMultiCallable[Q, S]:
        """Make the callable of a method with one request and one response."""
        return UnaryUnary(
            self, method, request_serializer, response_deserializer, self._interceptors.unary_unary
        )

    def unary_stream(
        self,
        method: str,
        request_serializer: Encode[Q] | None = None,
        response_deserializer: Decode[S] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.aio.UnaryStreamMultiCallable[Q, S]:
        """Make the callable of a method with one request and many responses."""
        return UnaryStream(
            self, method, request_serializer, response_deserializer, self._interceptors.unary_stream
        )

    def stream_unary(
        self,
        method: str,
        request_serializer: Encode[Q] | None = None,
        response_deserializer: Decode[S] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.aio.StreamUnaryMultiCallable[Q, S]:
        """Make the callable of a method with many requests and one response."""
        return StreamUnary(
            self, method, request_serializer, response_deserializer, self._interceptors.stream_unary
        )

    def stream_stream(
        self,
        method: str,
        request_serializer: Encode[Q] | None = None,
        response_deserializer: Decode[S] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.aio.StreamStreamMultiCallable[Q, S]:
        """Make the callable of a method with many requests and many responses."""
        return StreamStream(
            self,
            method,
            request_serializer,
            response_deserializer,
            self._interceptors.stream_stream,
        )

    def begin(
        self, method: str, metadata: Pairs, timeout: float | None, *, one_response: bool
    ) -> Rpc:
        """Make an RPC, for the callables of this channel.

        Raises:
            UsageError: the channel is closed.
            RuntimeError: the call is made from another event loop than the server's.
        """
        if self._closing:
            raise grpc.aio.UsageError(_CLOSED)
        return Rpc(
            method,
            metadata,
            timeout,
            loop=self._server.loop_for(method),
            one_response=one_response,
            request_limits=self._requests,
            response_limits=self._responses,
        )

    def send(self, rpc: Rpc, *, wait_for_ready: bool) -> None:
        """Let the server answer an RPC, for the callables of this channel."""
        if not self._used or self._server.stopped:
            self._use()
        self._server.accept(rpc, wait_for_ready=wait_for_ready)

    def track(self, call: grpc.aio.Call) -> None:
        """Remember a call until it ends, for the callables of this channel."""
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    def _state(self) -> grpc.ChannelConnectivity:
        if self._closed:
            return grpc.ChannelConnectivity.SHUTDOWN
        # A channel whose server goes away is idle until it is needed again, as in gRPC.
        if not (self._used_after_stop if self._server.stopped else self._used):
            return grpc.ChannelConnectivity.IDLE
        if self._server.running:
            return grpc.ChannelConnectivity.READY
        return grpc.ChannelConnectivity.TRANSIENT_FAILURE

    def _use(self) -> None:
        before = self._state()
        self._used = True
        self._used_after_stop = self._server.stopped
        if self._state() is not before:
            self._server.changed.wake()
