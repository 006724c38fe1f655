"""The callee's side of a call: the same for every transport.

A transport hands over a request record and the call's context. The endpoint runs the server
interceptors and the handler in a context of their own, and lets out only what the contract
declares: the response, an error that the method declares, or a plain status. Anything else that
a handler raises is a defect: it is logged with an id, and the caller learns the id alone.
"""

from __future__ import annotations

import inspect
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from seam.bus.contract import UnaryMethod
from seam.bus.interceptor import Interceptor, Invoke, surround
from seam.context import CallContext, isolated
from seam.errors import Code, ContractError, InvalidField, StatusError
from seam.records import Record

log = logging.getLogger(__name__)

ServeBytes = Callable[[bytes, CallContext], Coroutine[Any, Any, bytes]]


def endpoint(
    method: UnaryMethod[Any, Any],
    handler: Callable[[Any], Awaitable[Record]],
    interceptors: Sequence[Interceptor] = (),
) -> Invoke:
    """Make the function that answers calls of `method`.

    Args:
        method: the method that is answered.
        handler: takes a request record and gives the response record.
        interceptors: server interceptors, outermost first.

    Returns:
        A function of request record and call context. It raises `ContractError` for the
        method's declared errors and `StatusError` for everything else.
    """
    invoke = surround(_as_invoke(handler), method, interceptors)
    declared = frozenset(error.exception for error in method.errors)

    async def serve(request: Record, call: CallContext) -> Record:
        try:
            return await isolated(call, invoke(request, call))
        except Exception as error:
            raise outward(error, method, declared) from None

    return serve


def wire_endpoint(method: UnaryMethod[Any, Any], serve: Invoke) -> ServeBytes:
    """Make `serve` take and give serialized messages, for transports that carry bytes.

    Args:
        method: the method that is answered.
        serve: its endpoint.

    Returns:
        A function of serialized request and call context. Beyond what `serve` raises, a request
        that is no such record is INVALID_ARGUMENT, and a response that is none is a defect.
    """
    decode, encode = method.request.decode, method.response.encode

    async def serve_bytes(payload: bytes, call: CallContext) -> bytes:
        try:
            request = decode(payload)
        except InvalidField as error:
            raise StatusError(Code.INVALID_ARGUMENT, str(error)) from None
        response = await serve(request, call)
        try:
            return encode(response)
        except Exception as error:
            raise internal(error, method) from None

    return serve_bytes


def outward(
    error: Exception,
    method: UnaryMethod[Any, Any],
    declared: frozenset[type[ContractError[Any]]],
) -> StatusError:
    """Turn what a handler raised into what the caller may see.

    A fresh error is made, so that no cause, note or frame of the callee comes along.
    """
    if isinstance(error, ContractError):
        if type(error) in declared:
            return type(error)(error.record)
    elif isinstance(error, StatusError):
        return StatusError(error.code, error.message)
    return internal(error, method)


def internal(error: Exception, method: UnaryMethod[Any, Any]) -> StatusError:
    """Log a defect under a new id and make the status that carries only the id."""
    identifier = uuid.uuid4().hex
    log.error("%s failed, error id %s", method.full_name, identifier, exc_info=error)
    return StatusError(Code.INTERNAL, f"internal error {identifier}")


def decoded(method: UnaryMethod[Any, Any], answer: bytes) -> Record:
    """The response record of a serialized answer, on the caller's side.

    Raises:
        StatusError: INTERNAL, because the provider broke the contract.
    """
    try:
        response: Record = method.response.decode(answer)
    except InvalidField as error:
        raise StatusError(
            Code.INTERNAL, f"{method.full_name} answered against its contract: {error}"
        ) from None
    return response


def _as_invoke(handler: Callable[[Any], Awaitable[Record]]) -> Invoke:
    if inspect.iscoroutinefunction(handler):
        return lambda request, _call: handler(request)

    async def call(request: Record, _call: CallContext) -> Record:
        return await handler(request)

    return call
