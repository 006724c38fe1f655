"""Where other processes call the services of a process over NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from grpc_health.v1 import health_pb2

from seam.bus import HandlerRegistry
from seam.bus.nats import NatsServer, serve_nats
from seam.contract import ServiceDescriptor
from seam.persistence import Database
from seam.runtime.health import NO_KEYS, report_health


class _Group:
    """Takes a share of a service's calls while the service can answer them."""

    def __init__(self, server: NatsServer) -> None:
        self._server = server

    async def set(self, service: str, status: int) -> None:
        """See `HealthListener`."""
        if not service:
            return
        if status == health_pb2.HealthCheckResponse.SERVING:
            await self._server.serve(service)
        else:
            await self._server.leave(service)


@asynccontextmanager
async def serve_over_nats(
    url: str,
    provided: Sequence[ServiceDescriptor],
    registry: HandlerRegistry,
    *,
    databases: Mapping[str, Database],
    issuer: Callable[[], str | None] | None = None,
    grace: float,
) -> AsyncIterator[str]:
    """Answer calls from other processes until the block ends, then finish those under way.

    Args:
        url: of the NATS server.
        provided: the contract services to answer.
        registry: where their handlers are registered.
        databases: the databases of the services, by service, without which they cannot serve:
            others get their calls then, or nobody does.
        issuer: says what is wrong with the issuer of tokens; None when there is none.
        grace: seconds that calls under way have at the end.

    Yields:
        `HOST:PORT` of the NATS server.
    """

    def problem() -> str | None:
        return None if issuer is None or issuer() is None else NO_KEYS

    async with serve_nats(url, provided, registry, problem=problem, grace=grace) as server:
        names = [descriptor.name for descriptor in provided]
        reporting = asyncio.create_task(report_health(_Group(server), names, databases))
        try:
            yield server.connection.address
        finally:
            reporting.cancel()
