"""Settings that every command of an artifact takes: flags, then environment, then topology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from cyclopts import Parameter

from seam.http.static_site import StaticSite
from seam.runtime.service import DatabaseLocation, Service, owner_of
from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from seam.runtime.topology import (
    DEFAULT_DATABASE,
    Topology,
    check_database,
    database_of,
    nats_url,
    single_process,
)
from seam.runtime.topology_file import read_topology

DEFAULT_DATA: Final = Path(".data")

ENVIRONMENT_PREFIX: Final = "SEAM_"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the system's parts are."""

    topology: Path | None = None
    """TOML file that says which services live in which process. Without it, all that the
    artifact holds run in one process."""

    data: Path | None = None
    """Directory of the embedded databases. By default `.data` in the working directory."""

    database: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()
    """SERVICE=URL of a service's database, sqlite:///PATH or postgresql://…; may be repeated.
    default=URL with {service} in it is for all that are not named. By default an embedded one in
    the data directory."""

    setting: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()
    """SERVICE.NAME=VALUE of what a service knows of its surroundings; may be repeated."""

    broker: Annotated[str | None, Parameter(show_default=False)] = None
    """URL of the broker that carries events, in the place of the topology's; where its user is a
    secret, as environment variable."""


@dataclass(frozen=True)
class Artifact:
    """What a packaged binary holds.

    Attributes:
        name: what people call it.
        services: the services that it can host.
        whole_system: whether these are all services of the system, so that a topology which names
            another one is mistaken.
        sites: files that it serves beside its APIs.
    """

    name: str
    services: tuple[Service, ...]
    whole_system: bool
    sites: tuple[StaticSite, ...] = ()

    def topology(self, settings: Settings) -> Topology:
        """The topology that the settings name, or one process with all that the artifact holds.

        Raises:
            TopologyError: the file cannot be used.
        """
        hosted = [service.name for service in self.services]
        needed = {owner_of(need) for service in self.services for need in service.needs}
        placed = {*hosted, *needed} if settings.topology else hosted
        return _topology(settings, sorted(placed), whole_system=self.whole_system)


def check_databases(settings: Settings, services: Sequence[str]) -> None:
    """Check that every `--database` is of a service that is there.

    Raises:
        SettingsError: one is of another service, or cannot be used.
    """
    for service in _given_databases(settings):
        if service not in (*services, DEFAULT_DATABASE):
            raise SettingsError(
                f"--database: unknown service '{service}'; expected {', '.join(services)}"
            )


def database_location(
    settings: Settings, service: str, topology: Topology | None = None
) -> DatabaseLocation:
    """Where a service keeps its data.

    Args:
        settings: what was set for this run.
        service: the service's name.
        topology: the topology, if it has been read already.

    Raises:
        TopologyError: the topology file cannot be used.
        SettingsError: a `--database` cannot be used.
    """
    if topology is None:
        topology = _topology(settings, (service,), whole_system=False)
    for databases in (_given_databases(settings), topology.databases):
        url = database_of(databases, service)
        if url is not None:
            return DatabaseLocation(url, embedded=False, pool=topology.pool_of(service))
    data = settings.data or topology.data or DEFAULT_DATA
    path = quote(str((data / f"{service}.db").absolute()))
    return DatabaseLocation(f"sqlite:///{path}", embedded=True)


def service_settings(
    settings: Settings, services: Sequence[str], topology: Topology
) -> dict[str, ServiceSettings]:
    """What was set for services, by service; those for which nothing was are not there.

    Args:
        settings: what was set for this run.
        services: those that there are.
        topology: the topology.

    Raises:
        SettingsError: a `--setting` is of another service, or cannot be used.
    """
    given = {service: dict(each) for service, each in topology.settings.items()}
    for text in settings.setting:
        where, equals, value = text.partition("=")
        service, dot, name = where.partition(".")
        if not (service and dot and name and equals):
            raise SettingsError(f"--setting '{text}': expected SERVICE.NAME=VALUE")
        if service not in services:
            raise SettingsError(
                f"--setting: unknown service '{service}'; expected {', '.join(services)}"
            )
        given.setdefault(service, {})[name] = Setting(value, "--setting", is_text=True)
    return {service: ServiceSettings(service, each) for service, each in given.items()}


def settings_of(settings: Settings, service: str) -> ServiceSettings:
    """What was set for one service, for a command of it.

    Raises:
        TopologyError: the topology file cannot be used.
        SettingsError: a `--setting` is of another service, or cannot be used.
    """
    topology = _topology(settings, (service,), whole_system=False)
    given = service_settings(settings, [service], topology)
    return given.get(service, ServiceSettings(service, {}))


def _given_databases(settings: Settings) -> dict[str, str]:
    """URLs of `--database` by service."""
    given: dict[str, str] = {}
    for text in settings.database:
        service, equals, url = text.partition("=")
        if not equals:
            raise SettingsError(f"--database '{text}': expected SERVICE=URL")
        try:
            check_database(service, url)
        except ValueError as error:
            raise SettingsError(f"--database '{text}': {error}") from None
        given[service] = url
    return given


def _topology(settings: Settings, services: Sequence[str], *, whole_system: bool) -> Topology:
    if settings.topology is None:
        found = single_process(services)
    else:
        found = read_topology(settings.topology, known=services, whole_system=whole_system)
    if settings.broker is None:
        return found
    try:
        for server in settings.broker.split(","):
            nats_url(server.strip())
    except ValueError as error:
        raise SettingsError(f"--broker: {error}") from None
    return replace(found, broker=settings.broker)
