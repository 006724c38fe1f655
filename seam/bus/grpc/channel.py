"""Calls to services of other processes, over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from copy import copy
from time import monotonic
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from seam.bus.channel import (
    BidirectionalCall,
    ClientStreamingCall,
    ServerStreamingCall,
    UnaryCall,
)
from seam.bus.client_call import (
    bidirectional_client_call,
    client_streaming_client_call,
    request_encoder,
    response_decoder,
    server_streaming_client_call,
    unary_client_call,
)
from seam.bus.deadline import deadline_exceeded
from seam.bus.grpc.metadata import answered, to_wire
from seam.bus.grpc.outcome import Outcome, OutcomeWatch
from seam.bus.grpc.request_stream import is_accepted, marked, name_with_end
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.call.context import CallContext
from seam.codec.status import STATUS_DETAILS_KEY, StatusCodec
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, InvalidField, StatusError
from seam.contract.records import Record
from seam.outages import Outage

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)

UnaryRemote = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
Remote = grpc.aio.StreamStreamMultiCallable[bytes, bytes]
StreamCall = grpc.aio.StreamStreamCall[bytes, bytes]


_LOST: Final = Outcome(grpc.StatusCode.CANCELLED, "CANCELLED", ())
"""How a call ends, now and then, whose connection has gone: nobody has cancelled it."""


class GrpcChannel:
    """Carries calls over one gRPC channel."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        client_interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Make a channel over an open gRPC channel; the caller closes `channel`.

        Args:
            channel: the way to the callee, see `seam.bus.grpc.connection`.
            client_interceptors: run where a call is made, outermost first.
        """
        self._channel = channel
        self._client_interceptors = tuple(client_interceptors)
        self._caller = ""
        self._outages: dict[str, Outage] = {}

    def called_by(self, service: str) -> GrpcChannel:
        """See `Channel`."""
        bound = copy(self)
        bound._caller = service  # noqa: SLF001
        return bound

    def unary(self, method: MethodDescriptor[Q, S]) -> UnaryCall[Q, S]:
        """See `Channel`."""
        remote: UnaryRemote = self._channel.unary_unary(f"/{method.full_name}")
        send = _sender(method, remote, self._outage(method))
        return unary_client_call(method, send, self._client_interceptors, self._caller)

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
        # On the wire a single record is a stream of one, so one kind of call serves them all.
        plain: Remote = self._channel.stream_stream(f"/{method.full_name}")
        with_end: Remote | None = None
        if method.kind.client_streaming:
            with_end = self._channel.stream_stream(f"/{method.service}/{name_with_end(method)}")
        return _stream_sender(method, plain, with_end, self._outage(method))

    def _outage(self, method: MethodDescriptor[Any, Any]) -> Outage:
        return self._outages.setdefault(method.service, Outage(method.service))


def _sender(
    method: MethodDescriptor[Any, Any],
    remote: UnaryRemote,
    outage: Outage,
) -> Invoke:
    encode, read, status = request_encoder(method), response_decoder(method), StatusCodec(method)

    async def send(request: Record, call: CallContext) -> Record:
        payload = encode(request)
        rpc = remote(payload, timeout=call.deadline - monotonic(), metadata=to_wire(call))
        try:
            await _ended(rpc)
            answer = await rpc
        except grpc.aio.AioRpcError as error:
            trailers = tuple(error.trailing_metadata() or ())
            outcome = Outcome(error.code(), error.details() or "", trailers)
            raise _received(method, status, outcome, call, outage) from None
        if outage.away:
            outage.answered()
        call.trailing_metadata.update(answered(await rpc.trailing_metadata()))
        return read(answer)

    return send


async def _ended(rpc: grpc.aio.UnaryUnaryCall[bytes, bytes]) -> None:
    """Wait until a call has ended, and cancel it if that is cut short.

    A caller that is cancelled while it awaits the call itself gets grpc.aio's `CancelledError` and
    not its own, whose message tells libraries such as anyio what has cancelled it.
    """
    ended = asyncio.get_running_loop().create_future()

    def end(_: object) -> None:
        if not ended.done():
            ended.set_result(None)

    rpc.add_done_callback(end)
    try:
        await ended
    except BaseException:
        rpc.cancel()
        raise


def _stream_sender(
    method: MethodDescriptor[Any, Any],
    plain_path: Remote,
    marked_path: Remote | None,
    outage: Outage,
) -> StreamInvoke:
    encode, read, status = request_encoder(method), response_decoder(method), StatusCodec(method)

    async def send(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        refused: list[InvalidField | StatusError] = []

        async def payloads() -> AsyncIterator[bytes]:
            async for request in requests:
                try:
                    payload = encode(request)
                except (InvalidField, StatusError) as error:
                    # A request that cannot travel is the caller's own mistake.
                    refused.append(error)
                    raise
                yield payload

        def begin(remote: Remote, sent: AsyncIterator[bytes]) -> StreamCall:
            return remote(sent, timeout=call.deadline - monotonic(), metadata=to_wire(call))

        accepted = asyncio.get_running_loop().create_future()
        if marked_path is None:
            rpc = begin(plain_path, payloads())
        else:
            rpc = begin(marked_path, marked(payloads(), accepted))
        try:
            if marked_path is not None:
                accepted.set_result(await is_accepted(rpc))
                if not accepted.result():
                    rpc = begin(plain_path, payloads())
            watch = OutcomeWatch(rpc)
            try:
                async for answer in rpc:
                    yield read(answer)
            except grpc.aio.AioRpcError:
                pass
            outcome = await watch.outcome()
            if outcome.code is not grpc.StatusCode.OK:
                raise _received(method, status, outcome, call, outage)
            if outage.away:
                outage.answered()
            call.trailing_metadata.update(answered(outcome.trailers))
        except BaseException:
            if refused:
                raise refused[0] from None
            raise
        finally:
            accepted.cancel()
            rpc.cancel()

    return send


def _received(
    method: MethodDescriptor[Any, Any],
    codec: StatusCodec,
    outcome: Outcome,
    call: CallContext,
    outage: Outage,
) -> StatusError:
    """The error that the callee raised, or that the network stands for."""
    call.trailing_metadata.update(answered(outcome.trailers))
    for key, value in outcome.trailers:
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            try:
                return codec.unpack(Status.FromString(value))
            except DecodeError:
                break
    code = Code(outcome.code.value[0])
    if code is Code.DEADLINE_EXCEEDED or call.deadline <= monotonic():
        return deadline_exceeded(method)
    if code is Code.UNAVAILABLE or outcome == _LOST:
        # gRPC's own account of it names addresses, which are nobody's business but the log's.
        outage.failed(outcome.details)
        return StatusError(Code.UNAVAILABLE, f"{method.owner} is not available")
    return StatusError(code, outcome.details)
