"""The system as containers see it: each process in one of its own, found by its name.

A topology says where processes are on the machines that it was written for. In containers each
listens on all interfaces of its own and is found by the name of its process; what listened on the
machine itself (a database, a broker) is found by the name of the container that stands in for it.
URLs with passwords go into no file that is rendered: processes take them from their environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from director.rendering.container_topology import (
    CERTIFICATES,
    HTTP_CERTIFICATE,
    ISSUER_KEYS,
    NATS,
    POSTGRES,
    container_topology,
    has_keys_file,
    moved,
)
from seam.runtime import Service
from seam.runtime.topology import (
    Address,
    Process,
    Topology,
    TopologyError,
    database_of,
)

__all__ = [
    "ADMIN_VARIABLE",
    "BROKER_VARIABLE",
    "CERTIFICATES",
    "DATABASE_VARIABLE",
    "GRACE",
    "HTTP_CERTIFICATE",
    "ISSUER_KEYS",
    "NATS",
    "NATS_IMAGE",
    "POSTGRES",
    "POSTGRES_IMAGE",
    "TOPOLOGY_FILE",
    "USER",
    "Container",
    "Containers",
    "in_containers",
    "variable_of",
]

HTTP_PORT: Final = 8080
FIRST_GRPC_PORT: Final = 7100

TOPOLOGY_FILE: Final = "/etc/shop/topology.toml"
"""Where containers find their topology."""

DATABASE_VARIABLE: Final = "SEAM_DATABASE"
BROKER_VARIABLE: Final = "SEAM_BROKER"
ADMIN_VARIABLE: Final = "SEAM_ADMIN_URL"

USER: Final = 65532
"""Who processes run as: nobody in particular."""

GRACE: Final = 30
"""Seconds that a process has to finish what is under way; it takes ten after its drain."""

POSTGRES_IMAGE: Final = "postgres:18"
NATS_IMAGE: Final = "nats:2.15"

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Source: https://www.rfc-editor.org/rfc/rfc1123#section-2.1."""


@dataclass(frozen=True, slots=True)
class Container:
    """One process of a topology, in a container.

    Attributes:
        name: the name of the process, in a form that DNS takes.
        process: the process.
        image: the name of its image.
        grpc: the port on which it answers other processes, if it does.
        http: the port on which it serves clients, if it does.
        databases: the services that have a database server, by name, with their URLs.
        embedded: whether a service of it keeps its data in files.
    """

    name: str
    process: Process
    image: str
    grpc: int | None
    http: int | None
    databases: Mapping[str, str]
    embedded: bool


@dataclass(frozen=True, slots=True)
class Containers:
    """A topology in containers.

    Attributes:
        processes: one for each process.
        topology: the text of the topology file that they share.
        source: the topology as it was written for machines.
        postgres: whether a database server stands in for one on the machine.
        nats: the same of a broker.
    """

    processes: tuple[Container, ...]
    topology: str
    source: Topology
    postgres: bool
    nats: bool

    @property
    def broker(self) -> str | None:
        """URL of the broker, as containers find it, with its user."""
        return None if self.source.broker is None else moved(self.source.broker, NATS)

    @property
    def has_secret_broker(self) -> bool:
        """Whether who may use the broker is a secret."""
        return self.broker is not None and "@" in self.broker

    @property
    def has_keys_file(self) -> bool:
        """Whether an issuer has its public keys in a file, which containers need."""
        return has_keys_file(self.source)

    @property
    def databases(self) -> dict[str, str]:
        """URLs of all services that have a database server."""
        return {name: url for each in self.processes for name, url in each.databases.items()}

    def needed_by(self, container: Container) -> tuple[str, ...]:
        """The servers of others that a process has to reach, by the names of containers."""
        urls = [*container.databases.values()]
        store = self.source.http.rate_limit_store
        if store is not None and container.http is not None:
            urls.append(moved(store, POSTGRES))
        postgres = any(urlsplit(url).hostname == POSTGRES for url in urls)
        broker = self.nats and container.process.services != ()
        return (*((POSTGRES,) if postgres else ()), *((NATS,) if broker else ()))


def variable_of(service: str) -> str:
    """The variable that holds the URL of a service's database, where rendered files refer to it."""
    return f"{service.upper()}_DATABASE"


def in_containers(topology: Topology, services: Sequence[Service]) -> Containers:
    """Put the processes of a topology into containers.

    Raises:
        TopologyError: two processes have one name there, or a process cannot be reached there.
    """
    containers = [
        _container(process, number, topology, services)
        for number, process in enumerate(topology.processes.values(), start=1)
    ]
    names = [container.name for container in containers]
    for name in names:
        if names.count(name) > 1 or name in {POSTGRES, NATS}:
            raise TopologyError(f"process '{name}': two containers cannot have this name")
        if not _NAME.fullmatch(name):
            raise TopologyError(
                f"process {name!r:.80} cannot be the name of a container; expected up to 63 "
                "letters, digits, - and _"
            )
    urls = [url for container in containers for url in container.databases.values()]
    store = topology.http.rate_limit_store
    if store is not None:
        urls.append(moved(store, POSTGRES))
    broker = topology.broker
    return Containers(
        tuple(containers),
        container_topology(topology, containers),
        topology,
        postgres=any(urlsplit(url).hostname == POSTGRES for url in urls),
        nats=broker is not None and moved(broker, NATS) != broker,
    )


def _container(
    process: Process, number: int, topology: Topology, services: Sequence[Service]
) -> Container:
    if process.nats is not None:
        raise TopologyError(
            f"process '{process.name}' answers over nats; rendering expects grpc between containers"
        )
    kept = [service.name for service in services if service.migrations is not None]
    own = [name for name in process.services if name in kept]
    urls = {name: database_of(topology.databases, name) or "" for name in own}
    return Container(
        name=process.name.replace("_", "-").lower(),
        process=process,
        image=_image(process),
        grpc=_port(process.grpc, FIRST_GRPC_PORT + number),
        http=_port(process.http, HTTP_PORT),
        databases={name: moved(url, POSTGRES) for name, url in urls.items() if _is_server(url)},
        embedded=any(not _is_server(url) for url in urls.values()),
    )


def _image(process: Process) -> str:
    """The artifact that runs a process: that of its one service, or the monolith's."""
    alone = len(process.services) == 1 and process.http is None
    return f"shop-{process.services[0].replace('_', '-')}" if alone else "shop-monolith"


def _port(address: Address | None, default: int) -> int | None:
    if address is None:
        return None
    return address.port or default


def _is_server(url: str) -> bool:
    return url.startswith("postgresql")
