"""Calls to services of other processes, over NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from time import monotonic
from typing import Any, TypeVar

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
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.nats.caller import AwayError, Caller
from seam.bus.nats.connection import connecting
from seam.bus.nats.protocol import metadata_from_wire
from seam.bus.nats.retries import Retries
from seam.bus.streams import only
from seam.call.context import CallContext
from seam.codec.status import StatusCodec
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record
from seam.outages import Outage

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


@asynccontextmanager
async def open_nats(url: str) -> AsyncIterator[Caller]:
    """Open what `NatsChannel` makes calls with, until the block ends.

    Args:
        url: of the NATS server, `nats://HOST:PORT`. It need not be there yet.
    """
    caller = Caller(url)
    async with connecting(caller.connection):
        yield caller


class NatsChannel:
    """Carries calls over NATS."""

    def __init__(
        self,
        link: Caller,
        *,
        client_interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Make a channel.

        Args:
            link: makes the calls, see `open_nats`.
            client_interceptors: run where a call is made, outermost first.
        """
        self._link = link
        self._client_interceptors = tuple(client_interceptors)
        self._caller = ""
        self._ways: dict[str, _Way] = {}

    def called_by(self, service: str) -> NatsChannel:
        """See `Channel`."""
        bound = copy(self)
        bound._caller = service  # noqa: SLF001
        return bound

    def unary(self, method: MethodDescriptor[Q, S]) -> UnaryCall[Q, S]:
        """See `Channel`."""
        send = _sender(method, self._way(method))
        return unary_client_call(method, send, self._client_interceptors, self._caller)

    def server_streaming(self, method: MethodDescriptor[Q, S]) -> ServerStreamingCall[Q, S]:
        """See `Channel`."""
        send = _stream_reader(method, self._way(method))
        return server_streaming_client_call(method, send, self._client_interceptors, self._caller)

    def client_streaming(self, method: MethodDescriptor[Q, S]) -> ClientStreamingCall[Q, S]:
        """See `Channel`."""
        send = _stream_sender(method, self._way(method))
        return client_streaming_client_call(method, send, self._client_interceptors, self._caller)

    def bidirectional(self, method: MethodDescriptor[Q, S]) -> BidirectionalCall[Q, S]:
        """See `Channel`."""
        send = _stream_sender(method, self._way(method))
        return bidirectional_client_call(method, send, self._client_interceptors, self._caller)

    def _way(self, method: MethodDescriptor[Any, Any]) -> _Way:
        way = self._ways.get(method.service)
        if way is None:
            way = self._ways[method.service] = _Way(self._link, method.service)
        return way


class _Way:
    """The way to one contract service: who makes its calls, and how they went lately."""

    def __init__(self, link: Caller, service: str) -> None:
        self.call = link.call
        self.retries = Retries()
        self.outage = Outage(service)

    def answered(self) -> None:
        """Note that a call went well."""
        self.retries.succeeded()
        if self.outage.away:
            self.outage.answered()

    def failure(
        self, method: MethodDescriptor[Any, Any], error: StatusError, call: CallContext
    ) -> StatusError:
        """What the caller learns of a call that failed with `error`."""
        if not isinstance(error, AwayError):
            return error
        if call.deadline <= monotonic():
            return deadline_exceeded(method)
        if error.reason:
            self.outage.failed(error.reason)
        return StatusError(Code.UNAVAILABLE, f"{method.owner} is not available")


def _sender(method: MethodDescriptor[Any, Any], way: _Way) -> Invoke:
    encode, read, unpack = request_encoder(method), response_decoder(method), _unpacker(method)

    async def send_once(payload: bytes, call: CallContext) -> bytes:
        with await way.call(call.deadline) as outgoing:
            late = deadline_exceeded(method)
            timer = asyncio.get_running_loop().call_later(
                call.deadline - monotonic(), outgoing.expire, late
            )
            try:
                outgoing.begin(method, call, unpack, payload)
                return await only(outgoing.reader, method)
            finally:
                timer.cancel()
                if outgoing.done is not None:
                    call.trailing_metadata.update(metadata_from_wire(outgoing.done.trailers))

    async def send(request: Record, call: CallContext) -> Record:
        payload = encode(request)
        attempt = 1
        while True:
            try:
                answer = await send_once(payload, call)
            except StatusError as error:
                pause = way.retries.pause(method, error, attempt, call.deadline)
                if pause is None:
                    raise way.failure(method, error, call) from None
            else:
                way.answered()
                return read(answer)
            attempt += 1
            await asyncio.sleep(pause)

    return send


def _stream_reader(method: MethodDescriptor[Any, Any], way: _Way) -> StreamInvoke:
    """Make what calls a method of one request, which can be sent again, and many responses."""
    encode, read, unpack = request_encoder(method), response_decoder(method), _unpacker(method)

    async def send(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        payload = encode(await only(requests, method))
        attempt = 1
        while True:
            answered = False
            try:
                with await way.call(call.deadline) as outgoing:
                    outgoing.begin(method, call, unpack, payload)
                    try:
                        async for answer in outgoing.reader:
                            answered = True
                            yield read(answer)
                    finally:
                        if outgoing.done is not None:
                            call.trailing_metadata.update(
                                metadata_from_wire(outgoing.done.trailers)
                            )
            except StatusError as error:
                pause = None
                if not answered:
                    pause = way.retries.pause(method, error, attempt, call.deadline)
                if pause is None:
                    raise way.failure(method, error, call) from None
            else:
                way.answered()
                return
            attempt += 1
            await asyncio.sleep(pause)

    return send


def _stream_sender(method: MethodDescriptor[Any, Any], way: _Way) -> StreamInvoke:
    """Make what calls a method of many requests, which can be read once only."""
    encode, read, unpack = request_encoder(method), response_decoder(method), _unpacker(method)

    async def send(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        try:
            with await way.call(call.deadline) as outgoing:
                outgoing.begin(method, call, unpack, None)
                outgoing.write(requests, encode)
                try:
                    async for answer in outgoing.reader:
                        yield read(answer)
                finally:
                    if outgoing.done is not None:
                        call.trailing_metadata.update(metadata_from_wire(outgoing.done.trailers))
        except StatusError as error:
            raise way.failure(method, error, call) from None
        way.answered()

    return send


def _unpacker(method: MethodDescriptor[Any, Any]) -> Callable[[bytes], StatusError]:
    codec = StatusCodec(method)

    def unpack(status: bytes) -> StatusError:
        try:
            return codec.unpack(Status.FromString(status))
        except DecodeError:
            return StatusError(Code.UNKNOWN, f"{method.full_name} failed with what is no status")

    return unpack
