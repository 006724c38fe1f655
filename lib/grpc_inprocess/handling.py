"""Runs the handler of one RPC and answers with what it returns, writes or raises.

Three styles are known, as in `grpc.aio`: coroutine functions, which return the response or write
responses themselves; asynchronous generators; and plain functions, which run in a thread. What
a handler raises becomes UNKNOWN (or the code that it had set) with the error's text, in gRPC's
words. Where gRPC would leave the client without any status, it gets one here: `differences.md`
has the list.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Final, TypeAlias

import grpc

from lib.grpc_inprocess.blocking_context import BlockingServicerContext
from lib.grpc_inprocess.rpc import Rpc
from lib.grpc_inprocess.serialization import parsed_by_server
from lib.grpc_inprocess.servicer_context import LocalServicerContext
from lib.grpc_inprocess.status import Status

_LOGGER: Final = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = LocalServicerContext[Any, Any]


async def handle(rpc: Rpc, handler: Handler, threads: Executor | None) -> None:
    """Answer `rpc` with `handler`, also when the handler fails.

    Args:
        rpc: what to answer.
        handler: the method's handler, with its serializers.
        threads: where plain functions run; None for the event loop's default.

    Raises:
        CancelledError: the handler was cancelled; the caller answers if nobody has.
    """
    context: Context = LocalServicerContext(
        rpc, handler.request_deserializer, handler.response_serializer
    )
    try:
        await _run(rpc, handler, context, threads)
    except Exception as error:
        _answer_error(rpc, context, error)
    finally:
        _call_back(rpc, context)


def unexpected(error: Exception) -> str:
    """The status text for an error of a handler or interceptor, in gRPC's words.

    Lone surrogates, which no protocol can carry, are written as escapes.
    """
    return f"Unexpected {type(error)}: {error}".encode(errors="backslashreplace").decode()


async def _run(rpc: Rpc, handler: Handler, context: Context, threads: Executor | None) -> None:
    request: Any
    if handler.request_streaming:
        request = _Requests(context)
    else:
        message = await rpc.receive_request()
        if message is None:
            # The client sent nothing, or too much.
            return
        request = parsed_by_server(handler.request_deserializer, message)
    if handler.response_streaming:
        await _stream(handler, request, context, threads)
        context.raise_if_over()
    else:
        behavior: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary
        if _is_async(behavior):
            response = await behavior(request, context)
        else:
            response = await _in_thread(behavior, request, context, threads)
        context.raise_if_over()
        if context.status().code is grpc.StatusCode.OK:
            await context.write(response)
    rpc.answer(context.status())


async def _stream(
    handler: Handler, request: object, context: Context, threads: Executor | None
) -> None:
    behavior: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream
    if inspect.iscoroutinefunction(behavior):
        await behavior(request, context)
    elif inspect.isasyncgenfunction(behavior):
        async for response in behavior(request, context):
            await context.write(response)
    else:
        await _in_thread(behavior, request, context, threads, streams=True)


async def _in_thread(
    behavior: Any,  # noqa: ANN401
    request: object,
    context: Context,
    threads: Executor | None,
    *,
    streams: bool = False,
) -> object:
    """Run a plain function, and the generator that it may return, in one thread."""
    loop = asyncio.get_running_loop()
    blocking = BlockingServicerContext(context, loop)
    given = blocking.requests() if isinstance(request, _Requests) else request

    def run() -> object:
        answer = behavior(given, blocking)
        if streams:
            for response in answer:
                blocking.write(response)
        return answer

    return await loop.run_in_executor(threads, run)


class _Requests:
    """The request iterator of an `async` handler."""

    __slots__ = ("_context", "_messages")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._messages: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        # One generator for good: a handler may stop iterating, and go on later.
        if self._messages is None:
            self._messages = self._read()
        return self._messages

    async def __anext__(self) -> Any:  # noqa: ANN401
        return await anext(aiter(self))

    async def _read(self) -> AsyncIterator[Any]:
        while (message := await self._context.read()) is not grpc.aio.EOF:
            yield message


def _is_async(behavior: object) -> bool:
    return inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)


def _answer_error(rpc: Rpc, context: Context, error: Exception) -> None:
    if error is context.abort_error:
        return
    if isinstance(error, grpc.aio.InternalError) and rpc.over:
        # The handler suppressed its cancellation and tried to go on; nobody is left to be told.
        _LOGGER.debug("%s went on after its RPC was over", rpc.method, exc_info=error)
        return
    _LOGGER.error(
        "Unexpected [%s] raised by servicer method [%s]",
        type(error).__name__,
        rpc.method,
        exc_info=error,
    )
    set_by_handler = context.status()
    status = Status(
        grpc.StatusCode.UNKNOWN
        if set_by_handler.code is grpc.StatusCode.OK
        else set_by_handler.code,
        unexpected(error),
        set_by_handler.trailing_metadata,
    )
    try:
        rpc.answer(status)
    except (TypeError, UnicodeEncodeError):
        # The trailing metadata may be the very error that is reported.
        rpc.answer(replace(status, trailing_metadata=()))


def _call_back(rpc: Rpc, context: Context) -> None:
    try:
        for callback in context.callbacks:
            callback(context)
    except Exception:
        # As in gRPC, those that follow are not called.
        _LOGGER.exception("Error in callback for method [%s]", rpc.method)
