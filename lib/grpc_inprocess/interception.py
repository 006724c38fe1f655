"""Client interceptors: those of `grpc.aio`, run by its own machinery.

gRPC's intercepted calls run a chain of interceptors and, at its end, make a call over a socket.
A last interceptor of ours stands in front of that end: it makes the call in this process and
hands it back, so the socket is never reached. This is the one place that uses a module of
grpcio which is not public; everything that interceptors can observe is then gRPC's own doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from grpc.aio import _interceptor as grpc_interceptor

KINDS: Final = (
    grpc.aio.UnaryUnaryClientInterceptor,
    grpc.aio.UnaryStreamClientInterceptor,
    grpc.aio.StreamUnaryClientInterceptor,
    grpc.aio.StreamStreamClientInterceptor,
)


@dataclass(frozen=True, slots=True)
class Interceptors:
    """A channel's interceptors by the kind of call that they intercept, outermost first."""

    unary_unary: list[grpc.aio.ClientInterceptor] = field(default_factory=list)
    unary_stream: list[grpc.aio.ClientInterceptor] = field(default_factory=list)
    stream_unary: list[grpc.aio.ClientInterceptor] = field(default_factory=list)
    stream_stream: list[grpc.aio.ClientInterceptor] = field(default_factory=list)


def by_kind(interceptors: Sequence[grpc.aio.ClientInterceptor] | None) -> Interceptors:
    """Sort a channel's interceptors.

    An interceptor of several kinds counts as the first of them, as in `grpc.aio`.

    Raises:
        ValueError: one of them is not a client interceptor of `grpc.aio`.
    """
    sorted_ = Interceptors()
    lists = (
        sorted_.unary_unary,
        sorted_.unary_stream,
        sorted_.stream_unary,
        sorted_.stream_stream,
    )
    for interceptor in interceptors or ():
        for kind, interceptors_of_kind in zip(KINDS, lists, strict=True):
            if isinstance(interceptor, kind):
                interceptors_of_kind.append(interceptor)
                break
        else:
            names = ", ".join(kind.__name__ for kind in KINDS)
            raise ValueError(f"{interceptor!r} must be one of {names}")
    return sorted_


class _Last:
    """The end of the chain: makes the call with what the interceptors left of its details."""

    def __init__(self, invoke: Callable[[grpc.aio.ClientCallDetails, Any], grpc.aio.Call]) -> None:
        self._invoke = invoke

    async def intercept(
        self,
        _: object,
        details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401
    ) -> grpc.aio.Call:
        return self._invoke(details, request)

    intercept_unary_unary = intercept_unary_stream = intercept
    intercept_stream_unary = intercept_stream_stream = intercept


def intercepted(
    kind: str,
    interceptors: Sequence[grpc.aio.ClientInterceptor],
    request: object,
    details: grpc.aio.ClientCallDetails,
    invoke: Callable[[grpc.aio.ClientCallDetails, Any], grpc.aio.Call],
) -> Any:  # noqa: ANN401
    """Make a call that runs through interceptors.

    Args:
        kind: `UnaryUnary`, `UnaryStream`, `StreamUnary` or `StreamStream`.
        interceptors: outermost first.
        request: the request, or the iterable of requests or None.
        details: what the call is made with.
        invoke: makes the call in the end.
    """
    make = getattr(grpc_interceptor, f"Intercepted{kind}Call")
    return make(
        [*interceptors, _Last(invoke)],
        request,
        details.timeout,
        details.metadata,
        details.credentials,
        details.wait_for_ready,
        None,
        details.method,
        None,
        None,
        asyncio.get_running_loop(),
    )
