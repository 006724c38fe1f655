"""Calls between services of one process.

By default records pass by reference: they are immutable, so neither side can tell. In strict
mode every request, response and error goes through its wire form, as it would on a network, so
a value that only looks right fails in a test and not on the day the service is broken out.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from seam.bus.caller import caller
from seam.bus.contract import Binding, UnaryMethod
from seam.bus.endpoint import decoded, endpoint, wire_endpoint
from seam.bus.interceptor import Interceptor, Invoke
from seam.bus.status import StatusCodec
from seam.context import CallContext
from seam.errors import Code, StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class InProcessChannel:
    """Carries calls to the handlers that are bound in this process."""

    def __init__(
        self,
        *,
        strict: bool = False,
        client_interceptors: Sequence[Interceptor] = (),
        server_interceptors: Sequence[Interceptor] = (),
    ) -> None:
        """Make a channel without handlers.

        Args:
            strict: send every record through its wire form.
            client_interceptors: run where a call is made, outermost first.
            server_interceptors: run where a call is answered, outermost first.
        """
        self._strict = strict
        self._client_interceptors = tuple(client_interceptors)
        self._server_interceptors = tuple(server_interceptors)
        self._endpoints: dict[str, Invoke] = {}

    def bind(self, binding: Binding) -> None:
        """Let `binding` answer the calls of its contract.

        Raises:
            ValueError: the contract is bound already.
        """
        for method in binding.contract.methods:
            if method.full_name in self._endpoints:
                raise ValueError(f"{binding.contract.name} is bound twice in one process")
            serve = endpoint(method, binding.handlers[method.name], self._server_interceptors)
            self._endpoints[method.full_name] = serve

    def endpoint(self, method: UnaryMethod[Any, Any]) -> Invoke:
        """The function that answers `method` here, whichever way a call came in.

        Raises:
            StatusError: UNAVAILABLE, because no handler is bound for it.
        """
        serve = self._endpoints.get(method.full_name)
        if serve is None:
            raise StatusError(Code.UNAVAILABLE, f"{method.full_name} is not served here")
        return serve

    def unary(
        self, method: UnaryMethod[Q, S]
    ) -> Callable[[Q, float | None], Coroutine[Any, Any, S]]:
        """See `Channel.unary`. The handler may be bound after the stub is made."""

        def transport(request: Record, call: CallContext) -> Coroutine[Any, Any, Record]:
            return self.endpoint(method)(request, call)

        return caller(
            method,
            _strict(method, transport) if self._strict else transport,
            self._client_interceptors,
            ends_calls=False,
        )


def _strict(method: UnaryMethod[Any, Any], transport: Invoke) -> Invoke:
    """Put the wire between caller and callee without a network."""
    serve_bytes = wire_endpoint(method, transport)
    status = StatusCodec(method)

    async def invoke(request: Record, call: CallContext) -> Record:
        payload = method.request.encode(request)
        try:
            answer = await serve_bytes(payload, call)
        except StatusError as error:
            raise status.unpack(status.pack(error)) from None
        return decoded(method, answer)

    return invoke
