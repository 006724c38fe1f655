"""A client-facing contract service as HTTP routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from litestar import Router

from seam.bus import Channel
from seam.contract import ServiceDescriptor
from seam.http.problem import FieldsOf

Stub = TypeVar("Stub")


@dataclass(frozen=True, slots=True, eq=False)
class HttpApi(Generic[Stub]):
    """What generated code says about a contract service with HTTP rules.

    Attributes:
        descriptor: the service that the routes call.
        stub: makes a stub of the service from a channel.
        router: makes the routes over anything that answers like the service, such as a stub.
        errors: the typed errors that the routes may answer with, and their fields as JSON.
        openapi: the `paths` and `components` of the OpenAPI 3.1 document.
    """

    descriptor: ServiceDescriptor
    stub: Callable[[Channel], Stub]
    router: Callable[[Stub], Router]
    errors: FieldsOf
    openapi: Mapping[str, Any]

    def routes(self, channel: Channel) -> Router:
        """The routes of the service that `channel` leads to."""
        return self.router(self.stub(channel))
