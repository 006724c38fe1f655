"""The port of a process where other processes call its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from seam.bus import HandlerRegistry, servicer
from seam.bus.grpc.server import make_server
from seam.contract import ServiceDescriptor
from seam.persistence import Database
from seam.runtime.health import report_health
from seam.runtime.service import GrpcServicer
from seam.runtime.topology import Address


@asynccontextmanager
async def serve_grpc(
    provided: Sequence[ServiceDescriptor],
    registry: HandlerRegistry,
    address: Address,
    *,
    servicers: Sequence[GrpcServicer] = (),
    databases: Mapping[str, Database] = MappingProxyType({}),
    grace: float,
) -> AsyncIterator[Address]:
    """Answer calls from other processes until the block ends, then finish those under way.

    Beside them it answers `grpc.health.v1.Health`, and server reflection, so that tools
    can find out what is served.

    Args:
        provided: the contract services to answer.
        registry: where their handlers are registered.
        address: where to listen.
        servicers: standard servicers to answer with as well.
        databases: the databases of the services, by service, without which they cannot serve.
        grace: seconds that calls under way have at the end.

    Yields:
        The address with the port that was bound.

    Raises:
        OSError: the address cannot be bound.
    """
    server = make_server()
    server.add_generic_rpc_handlers([servicer(descriptor, registry) for descriptor in provided])
    serving = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    for each in servicers:
        each.register(server)
    names = [descriptor.name for descriptor in provided] + [each.name for each in servicers]
    reflection.enable_server_reflection(
        [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
    try:
        port = server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise OSError(str(error)) from None
    await server.start()
    for name in ("", *names):
        await serving.set(name, health_pb2.HealthCheckResponse.SERVING)
    reporting = asyncio.create_task(report_health(serving, names, databases))
    try:
        yield address if address.is_unix else Address(address.host, port)
    finally:
        reporting.cancel()
        await serving.enter_graceful_shutdown()
        await server.stop(grace)
