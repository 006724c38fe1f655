"""Hosts services in this process and lets them be called.

Opening goes from the inside out: services first, then the port for other processes, then HTTP,
so that nothing is called before it can answer. Closing goes the other way round: callers are told
to go elsewhere, then no new request is taken, those under way are finished, and only then do
services let go of what they hold.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc

from lib.grpc_inprocess import LocalChannel, LocalServer
from seam.auth import NO_ISSUER, ContractPolicy
from seam.auth.shop_issuer import AUTHENTICATION
from seam.bus import Channel, HandlerRegistry, InProcessChannel, Interceptor
from seam.bus.handler_task import settle
from seam.contract import ServiceDescriptor
from seam.events.host import EventsError, delivering
from seam.events.metrics import EventMetrics
from seam.http import application
from seam.http.rate_limits.limiter import UNLIMITED, Limiters
from seam.http.settings import HttpSettings
from seam.http.static_site import StaticSite
from seam.runtime.declarations import check_needs
from seam.runtime.grpc_server import Health, serve_grpc
from seam.runtime.health import ISSUER, Readiness
from seam.runtime.http_server import serve_http
from seam.runtime.http_worker import Worker
from seam.runtime.identity import issuer_of_tokens, tls_of, what_is_missing
from seam.runtime.listening import bind_http, listening
from seam.runtime.metrics import Metrics
from seam.runtime.network import FRONT, caller_name, check_network
from seam.runtime.peers import Peers
from seam.runtime.service import DatabaseLocation, Service, owner_of
from seam.runtime.service_settings import ServiceSettings, SettingsError
from seam.runtime.started_services import StartedServices
from seam.runtime.topology import Address, Process, Topology
from seam.runtime.watchdog import watching

if TYPE_CHECKING:
    from seam.runtime.http_tls import HttpTls

log = logging.getLogger(__name__)

GRACE: Final = 10.0
"""Seconds that requests under way have to finish when the process is asked to end."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a process listens.

    Attributes:
        http: where it serves HTTP, if it does.
        grpc: where it answers other processes, if it does.
        nats: the NATS server over which it does, if it does.
        tls: what its HTTP port shows to clients, if that speaks TLS.
    """

    http: Address | None
    grpc: Address | None
    nats: str | None = None
    tls: HttpTls | None = None

    def listening(self) -> Mapping[str, str]:
        """Where it listens, by scheme."""
        http = "https" if self.tls else "http"
        found = ((http, self.http), ("grpc", self.grpc), ("nats", self.nats))
        return {scheme: str(address) for scheme, address in found if address is not None}


@asynccontextmanager
async def hosting(
    process: Process,
    topology: Topology,
    services: Sequence[Service],
    databases: Mapping[str, DatabaseLocation],
    *,
    title: str,
    strict: bool = False,
    drain: float = 0.0,
    worker: Worker | None = None,
    settings: Mapping[str, ServiceSettings] = MappingProxyType({}),
    client_interceptors: Sequence[Interceptor] = (),
    server_interceptors: Sequence[Interceptor] = (),
    sites: Sequence[StaticSite] = (),
) -> AsyncIterator[Bound]:
    """Run one process of a topology until the block ends.

    Args:
        process: which of its processes.
        topology: where the services are that this process does not host.
        services: all services that the artifact holds.
        databases: where each of them keeps its data.
        title: title of the OpenAPI and AsyncAPI documents.
        strict: send calls within the process through their wire form.
        drain: seconds at the end in which the process answers as before, while it says that it is
            about to leave.
        worker: what it has of its supervisor, if it answers beside others.
        settings: what was set for services, by service.
        client_interceptors: run around every call that is made here, outermost first.
        server_interceptors: run around every call that is answered here, outermost first.
        sites: files that it serves over HTTP, if it does.

    Raises:
        SettingsError: the process cannot be run by this artifact, cannot listen, or has a setting
            that a service cannot use.
        ServiceError: a service does something else than it declares.
        MissingSiteError: a site has no files.
    """
    hosted = [service for service in services if service.name in process.services]
    check_network(process, topology)
    tls = tls_of(topology, process)
    listener = None if worker is None else worker.listener
    local_servicers = LocalServer()
    health = Health()
    async with AsyncExitStack() as stack:
        peers = Peers(topology, stack, client_interceptors, tls.client if tls else None)

        def to_authentication() -> Channel:
            if AUTHENTICATION.owner in process.services:
                # By reference, whatever the mode: who asks knows the contract, and not its records.
                return InProcessChannel(registry).called_by(FRONT)
            return peers.aside(AUTHENTICATION).called_by(caller_name(process))

        issuer = issuer_of_tokens(topology, to_authentication)
        identity = what_is_missing(issuer, tls)
        authenticator = NO_ISSUER if issuer is None else issuer.verifier
        registry = HandlerRegistry(
            server_interceptors=server_interceptors, policy=ContractPolicy(authenticator)
        )
        local = InProcessChannel(registry, strict=strict, client_interceptors=client_interceptors)

        def channel(descriptor: ServiceDescriptor) -> Channel:
            hosted_here = descriptor.owner in process.services
            return local if hosted_here else peers.channel(descriptor)

        def grpc_channel(name: str) -> grpc.aio.Channel:
            owner = owner_of(name)
            if owner in process.services:
                return LocalChannel(local_servicers)
            return peers.grpc_channel(owner)

        started = StartedServices(registry, local_servicers, channel, grpc_channel)
        for service in hosted:
            await started.start(
                stack,
                service,
                databases[service.name],
                settings.get(service.name, ServiceSettings(service.name, {})),
                topology.limits.get(service.name, service.limits),
            )
        check_needs(hosted, started.names)
        stack.push_async_callback(_settle)
        if issuer is not None:
            stack.callback(asyncio.create_task(issuer.source.keep()).cancel)
        await local_servicers.start()
        stack.push_async_callback(local_servicers.stop, GRACE)
        broker = None
        if topology.broker is not None and any(each.uses_events for each in started.participants):
            # The client of NATS is for processes that have a broker.
            from seam.events.broker import connected  # noqa: PLC0415

            broker = await stack.enter_async_context(connected(topology.broker))
        try:
            delivery = await stack.enter_async_context(delivering(started.participants, broker))
        except EventsError as error:
            raise SettingsError(str(error)) from None

        bound_grpc = None
        if process.grpc is not None:
            bound_grpc = await listening(
                stack,
                serve_grpc(
                    started.provided,
                    registry,
                    process.grpc,
                    servicers=started.servicers,
                    databases=started.databases,
                    issuer=identity.get(ISSUER),
                    serving=health,
                    credentials=tls.server() if tls else None,
                    shares_port=listener is not None,
                    grace=GRACE,
                ),
                process.grpc,
            )

        bound_nats = None
        if process.nats is not None:
            # NATS's client is loaded by processes that use it.
            from seam.runtime.nats_server import serve_over_nats  # noqa: PLC0415

            bound_nats = await stack.enter_async_context(
                serve_over_nats(
                    process.nats,
                    started.provided,
                    registry,
                    databases=started.databases,
                    issuer=identity.get(ISSUER),
                    grace=GRACE,
                )
            )

        bound_http, readiness, http_tls = None, None, None
        if process.http is not None:
            apis = [api for service in services for api in service.http]
            readiness = Readiness(
                [service.name for service in hosted],
                peers,
                started.databases,
                broker,
                identity,
            )
            events = [event for service in services for event in service.publishes]
            limiters = await _limiters(stack, topology.http)
            app = application(
                apis,
                channel,
                readiness,
                title=title,
                events=events,
                metrics=Metrics(EventMetrics(delivery), started.metrics, worker),
                authenticator=authenticator,
                settings=topology.http,
                limiters=limiters,
                sites=sites,
            )
            http_tls = _http_tls(topology.http)
            listener = listener or bind_http(process.http)
            bound_http = await listening(
                stack,
                serve_http(app, listener, grace=GRACE, tls=http_tls.context if http_tls else None),
                process.http,
            )
            readiness.serving = True
        # What starts may take its time: nobody waits for an answer yet.
        stack.enter_context(watching())
        yield Bound(bound_http, bound_grpc, bound_nats, http_tls)
        if readiness is not None:
            readiness.serving = False
        if listener is not None:
            listener.leave()
        await health.enter_graceful_shutdown()
        await asyncio.sleep(drain)


async def _limiters(stack: AsyncExitStack, settings: HttpSettings) -> Limiters:
    if settings.rate_limit_by_address is None and settings.rate_limit_by_principal is None:
        return UNLIMITED
    # The library of limits is loaded by processes that have one.
    from seam.http.rate_limits.opening import open_limiters  # noqa: PLC0415

    return await stack.enter_async_context(open_limiters(settings))


def _http_tls(settings: HttpSettings) -> HttpTls | None:
    if settings.certificate is None or settings.key is None:
        return None
    # What reads certificates is loaded by processes that have one.
    from seam.runtime.http_tls import HttpTls  # noqa: PLC0415

    return HttpTls(settings.certificate, settings.key)


async def _settle() -> None:
    """Let handlers whose callers have left tidy up before their services close."""
    if late := await settle(GRACE):
        log.warning("%d handlers have not ended %.0f s after their calls", late, GRACE)
