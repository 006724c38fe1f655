"""Starts the services of a process, one after the other, and keeps what they provide."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

import grpc
from sqlalchemy import MetaData

from lib.grpc_inprocess import LocalServer
from seam.bus import Bulkhead, Channel, HandlerRegistry, Limits, Registration
from seam.contract import ServiceDescriptor
from seam.events.host import Participant
from seam.events.subscription import Subscription
from seam.persistence import Database
from seam.runtime.declarations import (
    Needs,
    answered,
    check_access,
    check_answers,
    check_migrations,
)
from seam.runtime.service import DatabaseLocation, GrpcServicer, Resources, Service
from seam.runtime.service_metrics import ServiceMetrics
from seam.runtime.service_settings import ServiceSettings


class StartedServices:
    """What the services of a process provide.

    Attributes:
        provided: the contract services that they answer.
        servicers: the standard servicers that answer as well.
        databases: the databases that they have opened, by service.
        participants: what they do with events.
        metrics: the figures that they have of their own.
    """

    def __init__(
        self,
        registry: HandlerRegistry,
        local_servicers: LocalServer,
        channel: Callable[[ServiceDescriptor], Channel],
        grpc_channel: Callable[[str], grpc.aio.Channel],
    ) -> None:
        """Prepare to start services.

        Args:
            registry: takes their handlers.
            local_servicers: takes their standard servicers, for calls within the process.
            channel: gives the channel to a contract service.
            grpc_channel: gives the same by full name, for stubs that protoc has made.
        """
        self.provided: list[ServiceDescriptor] = []
        self.servicers: list[GrpcServicer] = []
        self.databases: dict[str, Database] = {}
        self.participants: list[Participant] = []
        self.metrics: list[ServiceMetrics] = []
        self._registry = registry
        self._local_servicers = local_servicers
        self._channel = channel
        self._grpc_channel = grpc_channel

    @property
    def names(self) -> list[str]:
        """Full names of all services that are answered."""
        return [*(each.name for each in self.provided), *answered(self.servicers)]

    async def start(
        self,
        stack: AsyncExitStack,
        service: Service,
        location: DatabaseLocation,
        settings: ServiceSettings,
        limits: Limits,
    ) -> None:
        """Start a service, and hold it to what it declares.

        Args:
            stack: closes the service.
            service: the service.
            location: where it keeps its data.
            settings: what was set for it.
            limits: how much it takes on.

        Raises:
            ServiceError: it does something else than it declares.
            SettingsError: it cannot use a setting.
        """
        check_migrations(service)
        check_access(service)
        needs = Needs(service, self._channel, self._grpc_channel)
        metrics = ServiceMetrics(service.name)
        tables: list[MetaData] = []

        def opened(database: Database, metadata: MetaData) -> None:
            self.databases[service.name] = database
            tables.append(metadata)

        resources = Resources(
            location,
            needs.channel,
            needs.grpc_channel,
            opened,
            settings,
            service.migrations,
            metrics,
        )
        answers = await stack.enter_async_context(service.start(resources))
        needs.check()
        settings.check()
        check_answers(service, answers)
        bulkhead = Bulkhead(service.name, limits)
        subscriptions: list[Subscription] = []
        for answering in answers:
            if isinstance(answering, Registration):
                self._registry.register(answering, bulkhead)
                self.provided.append(answering.descriptor)
            elif isinstance(answering, Subscription):
                subscriptions.append(answering)
            else:
                answering.register(self._local_servicers)
                self.servicers.append(answering)
        self.metrics.append(metrics)
        self.participants.append(
            Participant(
                service.name,
                self.databases.get(service.name),
                tables[0] if tables else None,
                tuple(subscriptions),
            )
        )
