"""The server's side of a call: the same for every transport.

A transport hands over a request, or a stream of them, and the call's context. Once the contract's
policy has let the call in (`seam.auth.policy`), it waits for a place among those that the service
answers, runs the server interceptors and the handler in a context of their own, and lets out only
what the contract declares: the response, an error that the method declares, or a plain status.
Anything else that a handler raises is a defect: it is logged with an id, and the caller learns the
id alone.

Between the interceptors and the handler, each request is checked against the rules of its contract,
where it came by reference as where it came over a network: a handler sees none that breaks them.
So is each response: one that breaks them is a defect of the handler, and its caller never sees it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any

from seam.auth.policy import Admission
from seam.bus.bulkhead import Bulkhead
from seam.bus.failures import internal
from seam.bus.handler_task import ServerCall
from seam.bus.interceptor import (
    Interceptor,
    Invoke,
    StreamInvoke,
    surround,
    surround_stream,
)
from seam.bus.stream_task import StreamTask
from seam.bus.streams import close, only
from seam.call.context import CallContext
from seam.codec.message_size import check_message_size
from seam.contract.descriptors import Kind, MethodDescriptor
from seam.contract.errors import InvalidArgumentError, InvalidField
from seam.contract.records import Record


def server_call(
    method: MethodDescriptor[Any, Any],
    handler: Callable[[Any], Any],
    interceptors: Sequence[Interceptor],
    bulkhead: Bulkhead,
    admission: Admission,
) -> ServerCall:
    """Make what answers calls of a method without streams.

    Args:
        method: the method that is answered.
        handler: takes a request record and gives an awaitable of the response record.
        interceptors: server interceptors, outermost first.
        bulkhead: where the service's calls are counted.
        admission: decides who may call.

    Returns:
        A function of request record and call context. Its result raises `ContractError` for the
        method's declared errors and `StatusError` for everything else.
    """
    invoke = _as_checked_invoke(method, handler)
    return ServerCall(method, surround(invoke, method, interceptors), bulkhead, admission)


def stream_server_call(
    method: MethodDescriptor[Any, Any],
    handler: Callable[[Any], Any],
    interceptors: Sequence[Interceptor],
    bulkhead: Bulkhead,
    admission: Admission,
) -> StreamInvoke:
    """As `server_call`, for a method with streams.

    Args:
        method: the method that is answered.
        handler: takes a request or an asynchronous iterator of requests, and gives an awaitable of
            the response or an asynchronous iterator of responses, as the method's kind says.
        interceptors: server interceptors, outermost first.
        bulkhead: where the service's calls are counted.
        admission: decides who may call.
    """
    checked = _as_checked_stream_invoke(method, handler)
    invoke = surround_stream(checked, method, interceptors)

    async def serve(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        admitted = admission.at_once(call)
        if admitted is None:
            admitted = await admission.after_verifying(call)
        call = admitted
        if bulkhead.free:
            bulkhead.free -= 1
        else:
            await bulkhead.wait()
        task = StreamTask(method, call)
        responses: AsyncIterator[Record] | None = None
        try:
            responses = await task.run(_begin(invoke, requests, call))
            while True:
                try:
                    response = await task.run(_next(responses))
                except StopAsyncIteration:
                    return
                yield response
        except GeneratorExit:
            raise
        except BaseException as error:
            if task.is_left and isinstance(error, asyncio.CancelledError):
                raise
            raise task.outward(error) from None
        finally:
            try:
                await task.end(close(responses))
            except Exception as error:
                # The caller has left, so that nobody but the log is there to be told.
                internal(error, method)
            finally:
                bulkhead.leave()

    return serve


async def _begin(
    invoke: StreamInvoke, requests: AsyncIterator[Record], call: CallContext
) -> AsyncIterator[Record]:
    return invoke(requests, call)


def _next(responses: AsyncIterator[Record]) -> Coroutine[Any, Any, Record]:
    # That of a generator can be driven as it is.
    step: Any = responses.__anext__() if inspect.isasyncgen(responses) else _awaited(responses)
    return step  # type: ignore[no-any-return]


async def _awaited(responses: AsyncIterator[Record]) -> Record:
    return await anext(responses)


def request_decoder(method: MethodDescriptor[Any, Any]) -> Callable[[bytes], Record]:
    """Make what reads requests from the wire on the callee's side.

    Returns:
        A function of a serialized request. It raises `InvalidArgumentError` for what is no such
        record.
    """
    decode = method.request.decode

    def read(payload: bytes) -> Record:
        try:
            request: Record = decode(payload)
        except InvalidField as error:
            raise InvalidArgumentError(error) from None
        return request

    return read


def response_encoder(method: MethodDescriptor[Any, Any]) -> Callable[[Record], bytes]:
    """Make what writes responses to the wire on the callee's side.

    Returns:
        A function of a response record. What is none is a defect, which it logs; it then raises
        `StatusError` with INTERNAL. One that is too large is RESOURCE_EXHAUSTED.
    """
    encode = method.response.encode

    def write(response: Record) -> bytes:
        try:
            payload = encode(response)
        except Exception as error:
            raise internal(error, method) from None
        check_message_size(method, payload)
        return payload

    return write


def _as_checked_invoke(method: MethodDescriptor[Any, Any], handler: Callable[[Any], Any]) -> Invoke:
    invoke = _as_invoke(handler)
    check, check_response = method.request.check, method.response.check
    answer = invoke if check_response is None else _with_checked_response(invoke, check_response)
    if check is None:
        return answer

    def checked(request: Record, call: CallContext) -> Awaitable[Record]:
        try:
            check(request)
        except InvalidField as error:
            raise InvalidArgumentError(error) from None
        return answer(request, call)

    return checked


def _with_checked_response(invoke: Invoke, check: Callable[[Any], None]) -> Invoke:
    async def checked(request: Record, call: CallContext) -> Record:
        response = await invoke(request, call)
        check(response)
        return response

    return checked


def _as_checked_stream_invoke(
    method: MethodDescriptor[Any, Any], handler: Callable[[Any], Any]
) -> StreamInvoke:
    invoke = _as_stream_invoke(method, handler)
    check, check_response = method.request.check, method.response.check
    if check is None and check_response is None:
        return invoke

    async def checked_requests(requests: AsyncIterator[Record]) -> AsyncIterator[Record]:
        async for request in requests:
            if check is not None:
                _check(check, request)
            yield request

    async def checked(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        responses = invoke(checked_requests(requests), call)
        try:
            async for response in responses:
                if check_response is not None:
                    check_response(response)
                yield response
        finally:
            await close(responses)

    return checked


def _check(check: Callable[[Any], None], request: Record) -> None:
    try:
        check(request)
    except InvalidField as error:
        raise InvalidArgumentError(error) from None


def _as_invoke(handler: Callable[[Any], Any]) -> Invoke:
    if inspect.iscoroutinefunction(handler):

        def invoke(request: Record, _: CallContext) -> Coroutine[Any, Any, Record]:
            answer: Coroutine[Any, Any, Record] = handler(request)
            return answer

        return invoke

    async def call(request: Record, _: CallContext) -> Record:
        response: Record = await handler(request)
        return response

    return call


def _as_stream_invoke(
    method: MethodDescriptor[Any, Any], handler: Callable[[Any], Any]
) -> StreamInvoke:
    async def answer_once(requests: AsyncIterator[Record], _: CallContext) -> AsyncIterator[Record]:
        yield await handler(requests)

    async def answer_request(
        requests: AsyncIterator[Record], _: CallContext
    ) -> AsyncIterator[Record]:
        responses = handler(await only(requests, method))
        try:
            async for response in responses:
                yield response
        finally:
            await close(responses)

    def answer_all(requests: AsyncIterator[Record], _: CallContext) -> AsyncIterator[Record]:
        responses: AsyncIterator[Record] = handler(requests)
        return responses

    if method.kind is Kind.CLIENT_STREAMING:
        return answer_once
    return answer_request if method.kind is Kind.SERVER_STREAMING else answer_all
