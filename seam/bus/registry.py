"""The handlers of a process: what answers a method, whichever way a call came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seam.auth.policy import ContractPolicy, Policy
from seam.bus.bulkhead import Bulkhead
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.registration import Registration
from seam.bus.server_call import server_call, stream_server_call
from seam.contract.descriptors import Kind, MethodDescriptor
from seam.contract.errors import Code, StatusError


class HandlerRegistry:
    """What answers the methods of the services in this process."""

    def __init__(
        self, *, server_interceptors: Sequence[Interceptor] = (), policy: Policy | None = None
    ) -> None:
        """Make a registry without handlers.

        Args:
            server_interceptors: run where a call is answered, outermost first.
            policy: decides who may call; by default whom contracts name, and nobody by a token.
        """
        self._server_interceptors = tuple(server_interceptors)
        self._policy = policy or ContractPolicy()
        self._unary: dict[str, Invoke] = {}
        self._streams: dict[str, StreamInvoke] = {}

    def register(self, registration: Registration, bulkhead: Bulkhead | None = None) -> None:
        """Let a registration answer the calls of its service.

        Args:
            registration: the contract service and its handlers.
            bulkhead: counts the calls that are answered at a time; by default one of its own.

        Raises:
            ValueError: the service is registered already.
        """
        descriptor = registration.descriptor
        bulkhead = bulkhead or Bulkhead(descriptor.owner)
        for method in descriptor.methods:
            name, handler = method.full_name, registration.handlers[method.name]
            if name in self._unary or name in self._streams:
                raise ValueError(f"{descriptor.name} is registered twice in one process")
            interceptors = self._server_interceptors
            admission = self._policy.admission(method)
            if method.kind is Kind.UNARY:
                self._unary[name] = server_call(method, handler, interceptors, bulkhead, admission)
            else:
                self._streams[name] = stream_server_call(
                    method, handler, interceptors, bulkhead, admission
                )

    def server_call(self, method: MethodDescriptor[Any, Any]) -> Invoke:
        """What answers a method without streams.

        Raises:
            StatusError: UNAVAILABLE, because no handler is registered for it.
        """
        serve = self._unary.get(method.full_name)
        if serve is None:
            raise _not_served(method)
        return serve

    def stream_server_call(self, method: MethodDescriptor[Any, Any]) -> StreamInvoke:
        """As `server_call`, for a method with streams."""
        serve = self._streams.get(method.full_name)
        if serve is None:
            raise _not_served(method)
        return serve


def _not_served(method: MethodDescriptor[Any, Any]) -> StatusError:
    return StatusError(Code.UNAVAILABLE, f"{method.full_name} is not served here")
