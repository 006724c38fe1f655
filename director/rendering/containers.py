"""The system as containers see it: each process in one of its own, found by its name.

A topology says where processes are on the machines that it was written for. In containers each
listens on all interfaces of its own and is found by the name of its process; what listened on the
machine itself (a database, a broker) is found by the name of the container that stands in for it.
URLs with passwords go into no file that is rendered: processes take them from their environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from seam.runtime import Service
from seam.runtime.topology import (
    Address,
    Process,
    Topology,
    TopologyError,
    database_of,
)

HTTP_PORT: Final = 8080
FIRST_GRPC_PORT: Final = 7100

POSTGRES: Final = "postgres"
NATS: Final = "nats"
"""Containers that stand in for servers on the machine of the topology."""

TOPOLOGY_FILE: Final = "/etc/shop/topology.toml"
DATA: Final = "/data"
"""Where containers find their topology, and keep embedded databases."""

DATABASE_VARIABLE: Final = "SEAM_DATABASE"
ADMIN_VARIABLE: Final = "SEAM_ADMIN_URL"

USER: Final = 65532
"""Who processes run as: nobody in particular."""

GRACE: Final = 30
"""Seconds that a process has to finish what is under way; it takes ten after its drain."""

POSTGRES_IMAGE: Final = "postgres:18"
NATS_IMAGE: Final = "nats:2.15"


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
        postgres: whether a database server stands in for one on the machine.
        nats: the same of a broker.
    """

    processes: tuple[Container, ...]
    topology: str
    postgres: bool
    nats: bool

    @property
    def databases(self) -> dict[str, str]:
        """URLs of all services that have a database server."""
        return {name: url for each in self.processes for name, url in each.databases.items()}

    def needed_by(self, container: Container) -> tuple[str, ...]:
        """The servers of others that a process has to reach, by the names of containers."""
        postgres = any(urlsplit(url).hostname == POSTGRES for url in container.databases.values())
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
    urls = [url for container in containers for url in container.databases.values()]
    broker = None if topology.broker is None else _moved(topology.broker, NATS)
    return Containers(
        tuple(containers),
        _toml(topology, containers, broker),
        postgres=any(urlsplit(url).hostname == POSTGRES for url in urls),
        nats=broker is not None and broker != topology.broker,
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
    urls = {name: database_of(topology.databases, name) for name in own}
    return Container(
        name=process.name.replace("_", "-").lower(),
        process=process,
        image=_image(process),
        grpc=_port(process.grpc, FIRST_GRPC_PORT + number),
        http=_port(process.http, HTTP_PORT),
        databases={name: _moved(url, POSTGRES) for name, url in urls.items() if _is_server(url)},
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


def _is_server(url: str | None) -> bool:
    return url is not None and url.startswith("postgresql")


def _moved(url: str | None, name: str) -> str:
    """A URL with the name of a container in the place of the machine itself."""
    assert url is not None
    host = urlsplit(url).hostname or ""
    if host == "localhost" or _is_loopback(host):
        shown = f"[{host}]" if ":" in host else host
        before, at, after = url.rpartition(f"@{shown}")
        if at:
            return f"{before}@{name}{after}"
        return url.replace(f"//{shown}", f"//{name}", 1)
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _toml(topology: Topology, containers: Sequence[Container], broker: str | None) -> str:
    """The topology that the containers share, without databases."""
    rows = [f"data = {json.dumps(DATA)}"]
    for container in containers:
        rows += ["", f"[process.{container.process.name}]"]
        if container.process.services:
            rows.append(f"services = {json.dumps(list(container.process.services))}")
        if container.http is not None:
            rows.append(f'http = "0.0.0.0:{container.http}"')
        if container.grpc is not None:
            rows.append(f'grpc = "0.0.0.0:{container.grpc}"')
            rows.append(f'advertise = "dns:///{container.name}:{container.grpc}"')
    for service, limits in topology.limits.items():
        rows += ["", f"[limits.{service}]"]
        rows += [f"concurrent = {limits.concurrent}", f"queued = {limits.queued}"]
    if broker is not None:
        rows += ["", "[events]", f"broker = {json.dumps(broker)}"]
    for service, settings in topology.settings.items():
        rows += ["", f"[settings.{service}]"]
        for name, setting in settings.items():
            if isinstance(setting.value, str) and urlsplit(setting.value).password:
                raise TopologyError(
                    f"{setting.origin}: settings.{service}.{name} holds a password, which is "
                    "rendered into no file; give it by the environment, as SEAM_SETTING"
                )
            rows.append(f"{name} = {json.dumps(setting.value)}")
    return "\n".join(rows) + "\n"
