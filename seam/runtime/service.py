"""What a service tells the process that hosts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from cyclopts import App
from sqlalchemy import MetaData

from lib.grpc_inprocess import LocalServer
from seam.bus import Channel, Limits, Registration
from seam.bus.bulkhead import DEFAULT_LIMITS
from seam.contract import EventDescriptor, ServiceDescriptor
from seam.events import Subscription
from seam.http import HttpApi
from seam.persistence import DEFAULT_POOL, Database, PoolLimits, open_database
from seam.persistence.migrations import Migrations, open_migrated
from seam.runtime.service_metrics import ServiceMetrics
from seam.runtime.service_settings import ServiceSettings


@dataclass(frozen=True, slots=True, eq=False)
class DatabaseLocation:
    """Where a service keeps its data.

    Attributes:
        url: the database's URL, see `seam.persistence.open_database`.
        embedded: whether it is the default that nobody configured.
        pool: how much of a server it takes.
    """

    url: str
    embedded: bool
    pool: PoolLimits = DEFAULT_POOL

    def open(self, migrations: Migrations) -> AbstractAsyncContextManager[Database]:
        """Open the database; an embedded one is migrated first, another must have been.

        Raises:
            CannotOpenDatabaseError: it cannot be reached, or was not migrated.
            MigrationError: a revision failed.
        """
        return open_migrated(self.url, migrations, embedded=self.embedded, pool=self.pool)


@dataclass(frozen=True, slots=True, eq=False)
class GrpcServicer:
    """A standard `grpc.aio` servicer, hosted as it is.

    Attributes:
        register: registers it with a server, as generated code does:
            `partial(add_GreeterServicer_to_server, Greeter())`.
    """

    register: Callable[[grpc.aio.Server], object]

    @property
    def names(self) -> tuple[str, ...]:
        """Full names of the services that it answers, such as `helloworld.Greeter`."""
        server = _NamingServer()
        self.register(server)
        return tuple(server.names)


class _NamingServer(LocalServer):
    """Knows the names of the services that are registered with it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        for handler in generic_rpc_handlers:
            if isinstance(handler, grpc.ServiceRpcHandler):
                self.names.append(handler.service_name())


def _no_channel(name: str) -> grpc.aio.Channel:
    raise LookupError(f"nothing here leads to {name}")


def _ignore(_: Database, __: MetaData) -> None:
    pass


def _no_settings() -> ServiceSettings:
    return ServiceSettings("", {})


def _no_metrics() -> ServiceMetrics:
    return ServiceMetrics("")


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """What a process hands to a service that it starts.

    Attributes:
        database_location: where the service's data is.
        channel: gives the channel to a contract service that it needs, while it starts.
        grpc_channel: gives the same by full name for stubs that protoc has made, whether a
            `GrpcServicer` of this process answers or another process.
        opened: is told of the service's database, and of its tables, once it is open.
        settings: what was set for the service.
        migrations: lead to the service's tables. Without them, as in tests, the tables are made as
            the code has them.
        metrics: takes figures of the service that `/metrics` tells.
    """

    database_location: DatabaseLocation
    channel: Callable[[ServiceDescriptor], Channel]
    grpc_channel: Callable[[str], grpc.aio.Channel] = _no_channel
    opened: Callable[[Database, MetaData], object] = _ignore
    settings: ServiceSettings = field(default_factory=_no_settings)
    migrations: Migrations | None = None
    metrics: ServiceMetrics = field(default_factory=_no_metrics)

    @asynccontextmanager
    async def database(self, metadata: MetaData) -> AsyncIterator[Database]:
        """The service's database, with the tables of `metadata`.

        An embedded one is migrated first; one that somebody has configured must have been.
        """
        location = self.database_location
        opening = (
            open_database(location.url, metadata, pool=location.pool)
            if self.migrations is None
            else location.open(self.migrations)
        )
        async with opening as database:
            self.opened(database, metadata)
            yield database


Provided: TypeAlias = Registration | GrpcServicer | Subscription
"""What a service gives the process that hosts it."""


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A service as its composition root declares it.

    Attributes:
        name: the service's name, also in topologies and as the name of its schema.
        start: opens what the service needs, gives its handlers, and closes it all at the end.
            What it gives is what the service provides, wherever it runs: answers to calls, and
            what it does with events.
        needs: the contract services of others that it calls; full names of those that it calls
            with stubs that protoc has made.
        http: its client-facing APIs.
        publishes: the events that it publishes.
        migrations: lead to its tables, if it has any.
        limits: how much it takes on where the topology does not say.
        commands: what else its artifact can do, as a sub-command of the service's name.
    """

    name: str
    start: Callable[[Resources], AbstractAsyncContextManager[Sequence[Provided]]]
    needs: tuple[ServiceDescriptor | str, ...] = ()
    http: tuple[HttpApi[Any], ...] = ()
    publishes: tuple[EventDescriptor[Any], ...] = ()
    migrations: Migrations | None = None
    limits: Limits = DEFAULT_LIMITS
    commands: App | None = None


def owner_of(contract: ServiceDescriptor | str) -> str:
    """Name of the service that answers a contract service, which may be given by full name."""
    return contract.partition(".")[0] if isinstance(contract, str) else contract.owner
