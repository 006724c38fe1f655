"""Answers calls that come in over gRPC.

A request arrives as bytes together with the time the caller grants and with metadata. What is
registered here decodes it, hands it to the server call that answers calls of this process too, and
sends the response or the status back. gRPC itself cancels the handler when the caller goes away or
its time is over; a caller that grants no time gets the contract's default.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, Final, NoReturn

import grpc

from seam.bus.deadline import deadline_exceeded, with_deadline
from seam.bus.grpc.metadata import from_wire
from seam.bus.interceptor import Invoke, StreamInvoke
from seam.bus.registry import HandlerRegistry
from seam.bus.server_call import request_decoder, response_encoder
from seam.bus.streams import close, once, only
from seam.call.context import CallContext
from seam.codec.status import STATUS_DETAILS_KEY, StatusCodec
from seam.contract.descriptors import Kind, MethodDescriptor, ServiceDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record

Context = grpc.aio.ServicerContext[bytes, bytes]

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def servicer(descriptor: ServiceDescriptor, registry: HandlerRegistry) -> grpc.GenericRpcHandler:
    """Make the gRPC handlers of a contract service.

    Args:
        descriptor: the service to answer.
        registry: where its handlers are registered.

    Returns:
        What `grpc.aio.Server.add_generic_rpc_handlers` takes.
    """
    return grpc.method_handlers_generic_handler(
        descriptor.name,
        {method.name: _method_handler(method, registry) for method in descriptor.methods},
    )


def _method_handler(
    method: MethodDescriptor[Any, Any], registry: HandlerRegistry
) -> grpc.RpcMethodHandler[Any, Any]:
    if method.kind is Kind.UNARY:
        unary = _unary_behavior(method, registry.server_call(method))
        return grpc.unary_unary_rpc_method_handler(unary)
    stream = _stream_behavior(method, registry.stream_server_call(method))
    if method.kind is Kind.BIDIRECTIONAL:
        return grpc.stream_stream_rpc_method_handler(stream)
    if method.kind is Kind.SERVER_STREAMING:

        async def answer_one(payload: bytes, context: Context) -> AsyncIterator[bytes]:
            answers = stream(once(payload), context)
            try:
                async for answer in answers:
                    yield answer
            finally:
                await close(answers)

        return grpc.unary_stream_rpc_method_handler(answer_one)

    async def answer_once(payloads: AsyncIterator[bytes], context: Context) -> bytes:
        answers = stream(payloads, context)
        try:
            return await only(answers, method)
        finally:
            await close(answers)

    return grpc.stream_unary_rpc_method_handler(answer_once)


def _unary_behavior(
    method: MethodDescriptor[Any, Any], serve: Invoke
) -> Callable[[bytes, Context], Any]:
    read, write, status = request_decoder(method), response_encoder(method), StatusCodec(method)

    async def behave(payload: bytes, context: Context) -> bytes:
        granted = _granted(context)
        call = _received(context, method.timeout if granted is None else granted)
        try:
            answering = serve(read(payload), call)
            if granted is None:
                response = await with_deadline(method, answering, call.deadline)
            else:
                response = await answering
            answer = write(response)
        except StatusError as error:
            await _abort(context, status, error, call)
        if call.trailing_metadata:
            context.set_trailing_metadata(tuple(call.trailing_metadata.items()))
        return answer

    return behave


def _stream_behavior(
    method: MethodDescriptor[Any, Any], serve: StreamInvoke
) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
    read, write, status = request_decoder(method), response_encoder(method), StatusCodec(method)

    async def requests(payloads: AsyncIterator[bytes]) -> AsyncIterator[Record]:
        async for payload in payloads:
            yield read(payload)

    async def behave(payloads: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        granted = _granted(context)
        call = _received(context, method.timeout if granted is None else granted)
        responses = serve(requests(payloads), call)
        try:
            async with asyncio.timeout(method.timeout if granted is None else None):
                async for response in responses:
                    yield write(response)
        except TimeoutError:
            await _abort(context, status, deadline_exceeded(method), call)
        except StatusError as error:
            await _abort(context, status, error, call)
        finally:
            await close(responses)
        if call.trailing_metadata:
            context.set_trailing_metadata(tuple(call.trailing_metadata.items()))

    return behave


def _received(context: Context, seconds: float) -> CallContext:
    fields: Any = from_wire(context.invocation_metadata() or ())
    return CallContext(monotonic() + seconds, asyncio.current_task(), **fields)


def _granted(context: Context) -> float | None:
    """Seconds that the caller grants; None when it sets no limit, which the stubs leave out."""
    return context.time_remaining()


async def _abort(
    context: Context, status: StatusCodec, error: StatusError, call: CallContext
) -> NoReturn:
    packed = status.pack(error)
    trailers = tuple(call.trailing_metadata.items())
    # A status that brings details was made by a handler, and not by gRPC on the way.
    if packed.details or error.code is Code.UNAVAILABLE:
        trailers = (*trailers, (STATUS_DETAILS_KEY, packed.SerializeToString()))
    await context.abort(_CODES[int(error.code)], error.message, trailers)
