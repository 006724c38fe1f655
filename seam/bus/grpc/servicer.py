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

from seam.bus.deadline import deadline_exceeded
from seam.bus.grpc.callers import CERTIFIED, CallerCheck
from seam.bus.grpc.metadata import from_wire
from seam.bus.grpc.request_stream import ACCEPTED, name_with_end, until_end, until_half_close
from seam.bus.interceptor import Invoke, StreamInvoke
from seam.bus.registry import HandlerRegistry
from seam.bus.server_call import request_decoder, response_encoder
from seam.bus.streams import close, once, only
from seam.call.context import CallContext
from seam.codec.status import STATUS_DETAILS_KEY, StatusCodec
from seam.contract.descriptors import Kind, MethodDescriptor, ServiceDescriptor
from seam.contract.errors import StatusError
from seam.contract.records import Record

Context = grpc.aio.ServicerContext[bytes, bytes]

StreamBehavior = Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def servicer(
    descriptor: ServiceDescriptor, registry: HandlerRegistry, *, callers: CallerCheck = CERTIFIED
) -> grpc.GenericRpcHandler:
    """Make the gRPC handlers of a contract service.

    Args:
        descriptor: the service to answer.
        registry: where its handlers are registered.
        callers: checks which service calls.

    Returns:
        What `grpc.aio.Server.add_generic_rpc_handlers` takes.
    """
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in descriptor.methods:
        if method.kind is Kind.UNARY:
            unary = _unary_behavior(method, registry.server_call(method), callers)
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(unary)
            continue
        serve = registry.stream_server_call(method)
        handlers[method.name] = _stream_handler(method, _stream_behavior(method, serve, callers))
        if method.kind.client_streaming:
            marked = _stream_behavior(method, serve, callers, marked=True)
            handlers[name_with_end(method)] = _stream_handler(method, marked)
    return grpc.method_handlers_generic_handler(descriptor.name, handlers)


def _stream_handler(
    method: MethodDescriptor[Any, Any], stream: StreamBehavior
) -> grpc.RpcMethodHandler[Any, Any]:
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
    method: MethodDescriptor[Any, Any], serve: Invoke, callers: CallerCheck
) -> Callable[[bytes, Context], Any]:
    read, write, status = request_decoder(method), response_encoder(method), StatusCodec(method)

    async def behave(payload: bytes, context: Context) -> bytes:
        granted = _granted(context)
        call = _received(context, method.timeout if granted is None else granted)
        try:
            if call.caller:
                callers(context, call.caller)
            answer = write(await serve(read(payload), call))
        except StatusError as error:
            await _abort(context, status, error, call)
        if call.trailing_metadata:
            context.set_trailing_metadata(tuple(call.trailing_metadata.items()))
        return answer

    return behave


def _stream_behavior(
    method: MethodDescriptor[Any, Any],
    serve: StreamInvoke,
    callers: CallerCheck,
    *,
    marked: bool = False,
) -> StreamBehavior:
    read, write, status = request_decoder(method), response_encoder(method), StatusCodec(method)
    one_request = not method.kind.client_streaming

    async def behave(payloads: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        granted = _granted(context)
        call = _received(context, method.timeout if granted is None else granted)
        if marked:
            await context.send_initial_metadata(((ACCEPTED, "marked"),))
            requests = until_end(payloads, read)
        elif one_request:
            requests = _decoded(payloads, read)
        else:
            requests = until_half_close(payloads, read)
        responses = serve(requests, call)
        try:
            if call.caller:
                callers(context, call.caller)
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


async def _decoded(
    payloads: AsyncIterator[bytes], read: Callable[[bytes], Record]
) -> AsyncIterator[Record]:
    async for payload in payloads:
        yield read(payload)


def _received(context: Context, seconds: float) -> CallContext:
    fields: Any = from_wire(context.invocation_metadata() or ())
    return CallContext(monotonic() + seconds, **fields)


def _granted(context: Context) -> float | None:
    """Seconds that the caller grants; None when it sets no limit, which the stubs leave out."""
    return context.time_remaining()


async def _abort(
    context: Context, status: StatusCodec, error: StatusError, call: CallContext
) -> NoReturn:
    # It tells a status that was made here from one that gRPC makes on the way.
    details = (STATUS_DETAILS_KEY, status.pack(error).SerializeToString())
    trailers = (*call.trailing_metadata.items(), details)
    await context.abort(_CODES[int(error.code)], error.message, trailers)
