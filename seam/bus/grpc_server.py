"""Answers calls that come in over gRPC.

A request arrives as bytes together with the time the caller grants. The handlers registered
here decode it, hand it to the same endpoint that answers calls of this process, and send the
response or the status back. gRPC itself cancels the handler when the caller goes away or its
time is over; a caller that grants no time gets the contract's default.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final, NoReturn

import grpc

from seam.bus.caller import timed
from seam.bus.contract import ServiceContract, UnaryMethod
from seam.bus.endpoint import wire_endpoint
from seam.bus.interceptor import Invoke
from seam.bus.status import StatusCodec
from seam.context import CallContext
from seam.errors import StatusError

STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"

Behavior = Callable[[bytes, "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[bytes]]

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def servicer(
    contract: ServiceContract, endpoint: Callable[[UnaryMethod[Any, Any]], Invoke]
) -> grpc.GenericRpcHandler:
    """Make the gRPC handlers of a contract service.

    Args:
        contract: the service to answer.
        endpoint: gives the endpoint that answers a method.

    Returns:
        What `grpc.aio.Server.add_generic_rpc_handlers` takes.
    """
    return grpc.method_handlers_generic_handler(
        contract.name,
        {
            method.name: grpc.unary_unary_rpc_method_handler(_behavior(method, endpoint(method)))
            for method in contract.methods
        },
    )


def _behavior(method: UnaryMethod[Any, Any], serve: Invoke) -> Behavior:
    serve_bytes = wire_endpoint(method, serve)
    status = StatusCodec(method)

    async def behave(payload: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        granted = _granted(context)
        task = asyncio.current_task()
        try:
            if granted is None:
                deadline = monotonic() + method.timeout
                call = serve_bytes(payload, CallContext(deadline, task))
                return await timed(method, call, deadline)
            return await serve_bytes(payload, CallContext(monotonic() + granted, task))
        except StatusError as error:
            await _abort(context, status, error)

    return behave


def _granted(context: grpc.aio.ServicerContext[bytes, bytes]) -> float | None:
    """Seconds that the caller grants; None when it sets no limit, which the stubs leave out."""
    return context.time_remaining()


async def _abort(
    context: grpc.aio.ServicerContext[bytes, bytes], status: StatusCodec, error: StatusError
) -> NoReturn:
    packed = status.pack(error)
    trailers = ((STATUS_DETAILS_KEY, packed.SerializeToString()),) if packed.details else ()
    await context.abort(_CODES[int(error.code)], error.message, trailers)
