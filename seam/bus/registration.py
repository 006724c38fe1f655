"""Who answers a contract service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seam.contract.descriptors import ServiceDescriptor


class Registration:
    """A contract service together with the handler functions that answer it."""

    __slots__ = ("descriptor", "handlers")

    def __init__(
        self, descriptor: ServiceDescriptor, handlers: Mapping[str, Callable[[Any], Any]]
    ) -> None:
        """Pair `descriptor` with one function per method.

        Args:
            descriptor: the service that is answered.
            handlers: method name to the function that takes its request, or an asynchronous
                iterator of requests, and gives an awaitable of the response, or an asynchronous
                iterator of responses.

        Raises:
            ValueError: a method has no function, or a function has no method.
        """
        expected = {method.name for method in descriptor.methods}
        if expected != handlers.keys():
            odd = ", ".join(sorted(expected ^ handlers.keys()))
            raise ValueError(f"{descriptor.name}: methods and handlers differ in {odd}")
        self.descriptor = descriptor
        self.handlers = dict(handlers)
