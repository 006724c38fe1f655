"""Hosts services in this process and lets them be called.

Opening goes from the inside out: services first, then the port for other processes, then HTTP,
so that nothing is called before it can answer. Closing goes the other way round: callers are told
to go elsewhere, then no new request is taken, those under way are finished, and only then do
services let go of what they hold.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc
from sqlalchemy import MetaData

from lib.grpc_inprocess import LocalChannel, LocalServer
from seam.auth import NO_ISSUER, ContractPolicy
from seam.auth.shop_issuer import AUTHENTICATION
from seam.bus import Bulkhead, Channel, HandlerRegistry, InProcessChannel, Interceptor, Registration
from seam.bus.handler_task import settle
from seam.contract import ServiceDescriptor
from seam.events.host import EventsError, Participant, delivering
from seam.events.metrics import EventMetrics
from seam.events.subscription import Subscription
from seam.http import application
from seam.http.rate_limits.limiter import UNLIMITED, Limiters
from seam.http.settings import HttpSettings
from seam.persistence import Database
from seam.runtime.declarations import (
    Needs,
    answered,
    check_access,
    check_answers,
    check_migrations,
    check_needs,
)
from seam.runtime.grpc_server import Health, serve_grpc
from seam.runtime.health import ISSUER, Readiness
from seam.runtime.http_listener import HttpListener
from seam.runtime.http_server import serve_http
from seam.runtime.http_worker import Worker
from seam.runtime.metrics import Metrics
from seam.runtime.network import FRONT, caller_name, check_network
from seam.runtime.peers import Peers
from seam.runtime.service import DatabaseLocation, GrpcServicer, Resources, Service, owner_of
from seam.runtime.service_metrics import ServiceMetrics
from seam.runtime.service_settings import ServiceSettings, SettingsError
from seam.runtime.topology import Address, Process, Topology
from seam.runtime.watchdog import watching

if TYPE_CHECKING:
    from seam.runtime.http_tls import HttpTls
    from seam.runtime.issuer import Issuer
    from seam.runtime.tls import ProcessTls

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

    Raises:
        SettingsError: the process cannot be run by this artifact, cannot listen, or has a setting
            that a service cannot use.
        ServiceError: a service does something else than it declares.
    """
    hosted = [service for service in services if service.name in process.services]
    check_network(process, topology)
    tls = _process_tls(topology, process)
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

        issuer = _issuer(topology, to_authentication)
        identity = _identity(issuer, tls)
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

        provided: list[ServiceDescriptor] = []
        servicers: list[GrpcServicer] = []
        opened_databases: dict[str, Database] = {}
        participants: list[Participant] = []
        metrics: list[ServiceMetrics] = []
        for service in hosted:
            check_migrations(service)
            check_access(service)
            needs = Needs(service, channel, grpc_channel)
            tables: list[MetaData] = []
            subscriptions: list[Subscription] = []

            def opened(
                database: Database,
                metadata: MetaData,
                name: str = service.name,
                tables: list[MetaData] = tables,
            ) -> None:
                opened_databases[name] = database
                tables.append(metadata)

            given = settings.get(service.name, ServiceSettings(service.name, {}))
            metrics.append(ServiceMetrics(service.name))
            resources = Resources(
                databases[service.name],
                needs.channel,
                needs.grpc_channel,
                opened,
                given,
                service.migrations,
                metrics[-1],
            )
            bulkhead = Bulkhead(service.name, topology.limits.get(service.name, service.limits))
            answers = await stack.enter_async_context(service.start(resources))
            needs.check()
            given.check()
            check_answers(service, answers)
            for answering in answers:
                if isinstance(answering, Registration):
                    registry.register(answering, bulkhead)
                    provided.append(answering.descriptor)
                elif isinstance(answering, Subscription):
                    subscriptions.append(answering)
                else:
                    answering.register(local_servicers)
                    servicers.append(answering)
            participants.append(
                Participant(
                    service.name,
                    opened_databases.get(service.name),
                    tables[0] if tables else None,
                    tuple(subscriptions),
                )
            )
        check_needs(hosted, [*(each.name for each in provided), *answered(servicers)])
        stack.push_async_callback(_settle)
        if issuer is not None:
            stack.callback(asyncio.create_task(issuer.source.keep()).cancel)
        await local_servicers.start()
        stack.push_async_callback(local_servicers.stop, GRACE)
        broker = None
        if topology.broker is not None and any(each.uses_events for each in participants):
            # The client of NATS is for processes that have a broker.
            from seam.events.broker import connected  # noqa: PLC0415

            broker = await stack.enter_async_context(connected(topology.broker))
        try:
            delivery = await stack.enter_async_context(delivering(participants, broker))
        except EventsError as error:
            raise SettingsError(str(error)) from None

        bound_grpc = None
        if process.grpc is not None:
            bound_grpc = await _listening(
                stack,
                serve_grpc(
                    provided,
                    registry,
                    process.grpc,
                    servicers=servicers,
                    databases=opened_databases,
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
                    provided,
                    registry,
                    databases=opened_databases,
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
                opened_databases,
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
                metrics=Metrics(EventMetrics(delivery), metrics, worker),
                authenticator=authenticator,
                settings=topology.http,
                limiters=limiters,
            )
            http_tls = _http_tls(topology.http)
            listener = listener or bind_http(process.http)
            bound_http = await _listening(
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


def _process_tls(topology: Topology, process: Process) -> ProcessTls | None:
    if topology.tls is None:
        return None
    # What reads certificates is loaded by processes that have one.
    from seam.runtime.tls import ProcessTls  # noqa: PLC0415

    return ProcessTls(topology.tls, process)


def _issuer(topology: Topology, channel: Callable[[], Channel]) -> Issuer | None:
    """The issuer whose tokens are accepted; None when there is none, so that none is."""
    if topology.auth is None and topology.home(AUTHENTICATION.owner) is None:
        return None
    # What verifies tokens is loaded by processes that accept some.
    from seam.runtime.issuer import issuer_of  # noqa: PLC0415

    return issuer_of(topology, channel)


def _identity(
    issuer: Issuer | None, tls: ProcessTls | None
) -> Mapping[str, Callable[[], str | None]]:
    """What a process needs to know who calls: each says what is wrong with it."""
    needed: dict[str, Callable[[], str | None]] = {}
    if issuer is not None:
        needed[ISSUER] = lambda: issuer.source.problem
    if tls is not None:
        needed["certificate"] = lambda: tls.problem
    return needed


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


def bind_http(address: Address) -> HttpListener:
    """Bind the address of an HTTP port.

    Raises:
        SettingsError: it cannot be bound.
    """
    try:
        return HttpListener.bind(address)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from None
    except UnicodeError:
        # As a name that is none is refused when it is looked up.
        raise SettingsError(f"cannot listen on {address}: not the name of a host") from None


async def _settle() -> None:
    """Let handlers whose callers have left tidy up before their services close."""
    if late := await settle(GRACE):
        log.warning("%d handlers have not ended %.0f s after their calls", late, GRACE)


async def _listening(
    stack: AsyncExitStack, server: AbstractAsyncContextManager[Address], address: Address
) -> Address:
    try:
        return await stack.enter_async_context(server)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from None
    except UnicodeError:
        # As a name that is none is refused when it is looked up.
        raise SettingsError(f"cannot listen on {address}: not the name of a host") from None
