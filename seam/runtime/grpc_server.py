"""The port of a process where other processes call its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from seam.bus import BELIEVED, CERTIFIED, HandlerRegistry, servicer
from seam.bus.grpc.server import make_server
from seam.contract import ServiceDescriptor
from seam.persistence import Database
from seam.runtime.health import ISSUER, report_health
from seam.runtime.service import GrpcServicer
from seam.runtime.topology import Address


class Health(health.aio.HealthServicer):  # type: ignore[misc]
    """Answers for the health of a process, and lets go of those who watch it when it ends."""

    def __init__(self) -> None:
        """Begin with a process that serves."""
        super().__init__()
        self._ended = asyncio.Event()

    async def Watch(  # noqa: N802
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[
            health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        ],
    ) -> None:
        """Say how a service is and whenever that changes, until the process ends."""
        telling = asyncio.ensure_future(super().Watch(request, context))
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((telling, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            ending.cancel()
        if self._ended.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the process ends")

    def end_watches(self) -> None:
        """End the calls of those who watch, which would last for ever."""
        self._ended.set()


@asynccontextmanager
async def serve_grpc(
    provided: Sequence[ServiceDescriptor],
    registry: HandlerRegistry,
    address: Address,
    *,
    servicers: Sequence[GrpcServicer] = (),
    databases: Mapping[str, Database] = MappingProxyType({}),
    issuer: Callable[[], str | None] | None = None,
    serving: Health | None = None,
    credentials: grpc.ServerCredentials | None = None,
    shares_port: bool = False,
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
        issuer: says what is wrong with the issuer of tokens; None when there is none.
        serving: answers for the health of the process; who passes it may tell callers to leave
            before the block ends.
        credentials: prove which services it answers for, and check who calls; without them whoever
            reaches the port is believed.
        shares_port: whether other workers of this process answer on the same port.
        grace: seconds that calls under way have at the end.

    Yields:
        The address with the port that was bound.

    Raises:
        OSError: the address cannot be bound.
    """
    server = make_server(shares_port=shares_port)
    callers = BELIEVED if credentials is None else CERTIFIED
    server.add_generic_rpc_handlers(
        [servicer(descriptor, registry, callers=callers) for descriptor in provided]
    )
    serving = serving or Health()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    for each in servicers:
        each.register(server)
    names = [descriptor.name for descriptor in provided]
    names += [name for each in servicers for name in each.names]
    reflection.enable_server_reflection(
        [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
    try:
        if credentials is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), credentials)
    except RuntimeError as error:
        raise OSError(str(error)) from None
    if issuer is not None:
        await serving.set(ISSUER, health_pb2.HealthCheckResponse.NOT_SERVING)
    await server.start()
    for name in ("", *names):
        await serving.set(name, health_pb2.HealthCheckResponse.SERVING)
    reporting = asyncio.create_task(report_health(serving, names, databases, issuer))
    try:
        yield address if address.is_unix else Address(address.host, port)
    finally:
        reporting.cancel()
        await serving.enter_graceful_shutdown()
        serving.end_watches()
        try:
            await server.stop(grace)
        finally:
            # At once, if the wait was cut short.
            await server.stop(None)
