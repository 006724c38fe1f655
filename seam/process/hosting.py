"""Hosts services in this process and lets them be called.

Opening goes from the inside out: services first, then the port for other processes, then HTTP,
so that nothing is called before it can answer. Closing goes the other way round: no new request
is taken, those under way are finished, and only then do services let go of what they hold.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc

from seam.bus import Binding, Bulkhead, Channel, InProcessChannel, Interceptor, ServiceContract
from seam.bus.bulkhead import DEFAULT_LIMITS
from seam.grpc_local import LocalChannel, LocalServer
from seam.http import application
from seam.process.grpc_server import serve_grpc
from seam.process.health import Readiness
from seam.process.http_server import serve_http
from seam.process.peers import Peers
from seam.process.service import DatabaseLocation, GrpcServicer, Resources, Service
from seam.process.settings import SettingsError
from seam.process.topology import Address, Process, Topology
from seam.process.watchdog import watching

GRACE: Final = 10.0
"""Seconds that requests under way have to finish when the process is asked to end."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a process listens.

    Attributes:
        http: where it serves HTTP, if it does.
        grpc: where it answers other processes, if it does.
    """

    http: Address | None
    grpc: Address | None


@asynccontextmanager
async def hosting(
    process: Process,
    topology: Topology,
    services: Sequence[Service],
    databases: Mapping[str, DatabaseLocation],
    *,
    title: str,
    strict: bool = False,
    client_interceptors: Sequence[Interceptor] = (),
    server_interceptors: Sequence[Interceptor] = (),
) -> AsyncIterator[Bound]:
    """Run one process of a topology until the block ends.

    Args:
        process: which of its processes.
        topology: where the services are that this process does not host.
        services: all services that the artifact holds.
        databases: where each of them keeps its data.
        title: title of the OpenAPI document.
        strict: send calls within the process through their wire form.
        client_interceptors: run around every call that is made here, outermost first.
        server_interceptors: run around every call that is answered here, outermost first.

    Raises:
        SettingsError: the process cannot be run by this artifact, or cannot listen.
    """
    hosted = [service for service in services if service.name in process.services]
    local = InProcessChannel(
        strict=strict,
        client_interceptors=client_interceptors,
        server_interceptors=server_interceptors,
    )
    foreign = LocalServer()
    async with AsyncExitStack() as stack:
        peers = Peers(topology, stack, client_interceptors)

        def channel(contract: ServiceContract) -> Channel:
            return local if contract.owner in process.services else peers.channel(contract)

        def grpc_channel(name: str) -> grpc.aio.Channel:
            owner = name.partition(".")[0]
            if owner in process.services:
                return LocalChannel(foreign)
            return peers.grpc_channel(owner)

        stack.enter_context(watching())
        servicers: list[GrpcServicer] = []
        for service in hosted:
            resources = Resources(databases[service.name], channel, grpc_channel)
            bulkhead = Bulkhead(service.name, topology.limits.get(service.name, DEFAULT_LIMITS))
            for answering in await stack.enter_async_context(service.start(resources)):
                if isinstance(answering, Binding):
                    local.bind(answering, bulkhead)
                else:
                    answering.register(foreign)
                    servicers.append(answering)
        await foreign.start()
        stack.push_async_callback(foreign.stop, GRACE)

        bound_grpc = None
        if process.grpc is not None:
            contracts = [contract for service in hosted for contract in service.provides]
            bound_grpc = await _listening(
                stack,
                serve_grpc(contracts, local, process.grpc, servicers=servicers, grace=GRACE),
                process.grpc,
            )

        bound_http = None
        if process.http is not None:
            apis = [api for service in services for api in service.http]
            readiness = Readiness([service.name for service in hosted], peers)
            app = application(apis, channel, readiness, title=title)
            bound_http = await _listening(
                stack, serve_http(app, process.http, grace=GRACE), process.http
            )
            readiness.serving = True
            stack.callback(setattr, readiness, "serving", False)
        yield Bound(bound_http, bound_grpc)


async def _listening(
    stack: AsyncExitStack, server: AbstractAsyncContextManager[Address], address: Address
) -> Address:
    try:
        return await stack.enter_async_context(server)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from None
