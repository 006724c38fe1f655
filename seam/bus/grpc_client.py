"""Calls to services of other processes, over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from seam.bus.caller import caller, deadline_exceeded
from seam.bus.contract import UnaryMethod
from seam.bus.endpoint import decoded
from seam.bus.grpc_server import STATUS_DETAILS_KEY
from seam.bus.interceptor import Interceptor, Invoke
from seam.bus.status import StatusCodec
from seam.context import CallContext
from seam.errors import Code, StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class GrpcChannel:
    """Carries calls to the process at one address."""

    def __init__(
        self, channel: grpc.aio.Channel, *, client_interceptors: Sequence[Interceptor] = ()
    ) -> None:
        """Make a channel over an open connection; whoever opened `channel` closes it.

        Args:
            channel: the connection to the process.
            client_interceptors: run where a call is made, outermost first.
        """
        self._channel = channel
        self._client_interceptors = tuple(client_interceptors)

    def unary(
        self, method: UnaryMethod[Q, S]
    ) -> Callable[[Q, float | None], Coroutine[Any, Any, S]]:
        """See `Channel.unary`."""
        send = _sender(method, self._channel.unary_unary(f"/{method.full_name}"))
        return caller(method, send, self._client_interceptors, ends_calls=True)


def _sender(
    method: UnaryMethod[Any, Any], remote: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
) -> Invoke:
    encode = method.request.encode
    status = StatusCodec(method)

    async def send(request: Record, call: CallContext) -> Record:
        payload = encode(request)
        try:
            answer = await remote(payload, timeout=call.deadline - monotonic())
        except grpc.aio.AioRpcError as error:
            raise _received(method, status, error) from None
        return decoded(method, answer)

    return send


def _received(
    method: UnaryMethod[Any, Any], codec: StatusCodec, error: grpc.aio.AioRpcError
) -> StatusError:
    """The error that the callee raised, or that the network stands for."""
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            try:
                return codec.unpack(Status.FromString(value))
            except DecodeError:
                break
    code = Code(error.code().value[0])
    if code is Code.DEADLINE_EXCEEDED:
        return deadline_exceeded(method)
    return StatusError(code, error.details() or "")
