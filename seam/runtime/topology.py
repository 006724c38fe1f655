"""Which services live in which process, and where each process listens.

A topology file is TOML:

    data = "/srv/shop"                      # optional; where embedded databases lie

    [process.director]
    http = "127.0.0.1:8080"                 # serves the routes of every service

    [process.inventory]
    services = ["inventory"]
    grpc = "127.0.0.1:7101"                 # answers other processes
    advertise = ["10.0.0.1:7101", "10.0.0.2:7101"]   # optional; where others find it, if elsewhere

    [database]
    inventory = "postgresql://…"            # optional; SQLite below `data` otherwise

    [limits.inventory]
    concurrent = 256                        # optional; calls that it answers at a time
    queued = 1024                           # optional; calls that wait for one of them to end

`grpc` may be `unix:PATH`. `advertise` may be several addresses of processes that are alike, or one
`dns:///HOST:PORT`; calls are spread over all that serve. Nothing in the file names code: the same
artifacts serve every topology.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from seam.bus import Limits
from seam.bus.bulkhead import DEFAULT_LIMITS
from seam.persistence.database import database_url
from seam.runtime.toml_lines import line_of

DEFAULT_HTTP: Final = "127.0.0.1:8080"

UNIX: Final = "unix:"
DNS: Final = "dns:///"


class TopologyError(ValueError):
    """A topology cannot be used; the text names the file, the line and what was expected."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens.

    Attributes:
        host: name or number of the interface; `unix:PATH` for a Unix socket.
        port: TCP port; 0 lets the system choose.
    """

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """Read `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.

        Raises:
            ValueError: it is none of these.
        """
        if text.startswith(UNIX) and len(text) > len(UNIX):
            return Address(text, 0)
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        usable = port.isascii() and port.isdigit() and int(port) <= 65535
        if not colon or not host or not usable or (":" in host and not bracketed):
            raise ValueError(f"'{text}' is not an address; expected HOST:PORT with a port to 65535")
        return Address(host, int(port))

    @property
    def is_unix(self) -> bool:
        """Whether it is a Unix socket."""
        return self.host.startswith(UNIX)

    def __str__(self) -> str:
        """`HOST:PORT`, with an IPv6 host in brackets, or `unix:PATH`."""
        if self.is_unix:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a topology.

    Attributes:
        name: its name in the topology.
        services: names of the services that it hosts.
        http: where it serves HTTP, if it does.
        grpc: where it answers other processes, if it does.
        advertise: where others find it, if that is not `grpc`: addresses, or one `dns:///HOST:PORT`.
    """

    name: str
    services: tuple[str, ...]
    http: Address | None = None
    grpc: Address | None = None
    advertise: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others find it."""
        return self.advertise or ((str(self.grpc),) if self.grpc else ())


@dataclass(frozen=True, slots=True)
class Topology:
    """All processes of a running system.

    Attributes:
        processes: by name.
        databases: URL of a service's database, by service; embedded when absent.
        data: directory of the embedded databases, if the file names one.
        limits: how much a service takes on, by service; the default when absent.
    """

    processes: Mapping[str, Process]
    databases: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    limits: Mapping[str, Limits] = field(default_factory=dict)

    def home(self, service: str) -> Process | None:
        """The process that hosts a service, if one does."""
        for process in self.processes.values():
            if service in process.services:
                return process
        return None


def _family(address: Address) -> int | None:
    """4 or 6; None for a name."""
    try:
        return ip_address(address.host).version
    except ValueError:
        return None


def single_process(services: Iterable[str]) -> Topology:
    """The topology that needs no file: every service in one process, `monolith`."""
    process = Process("monolith", tuple(services), http=Address.parse(DEFAULT_HTTP))
    return Topology({process.name: process})


def read_topology(path: Path, *, known: Sequence[str], whole_system: bool) -> Topology:
    """Read and check a topology file.

    Args:
        path: the TOML file.
        known: names of the services that must be placed.
        whole_system: whether `known` are all services there are, so that any other is a mistake.

    Raises:
        TopologyError: the file cannot be read, or says something that cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError(f"{path}: cannot read the topology: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise TopologyError(f"{path}: not valid TOML: {error}") from None
    return _Reader(path, text).topology(document, known, whole_system=whole_system)


class _Reader:
    """Turns the TOML document into a topology, and points at what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def topology(
        self, document: Mapping[str, Any], known: Sequence[str], *, whole_system: bool
    ) -> Topology:
        self._only(document, ("data", "process", "database", "limits"), ())
        tables = self._table(document, "process", ())
        if not tables:
            raise self._error((), "no process; expected at least one table [process.NAME]")
        processes = {name: self._process(tables, name) for name in tables}
        self._check_services(processes, known, whole_system=whole_system)
        self._check_addresses(processes)
        databases = self._table(document, "database", ())
        for service in databases:
            self._check_database(databases, service, known, whole_system=whole_system)
        data = self._string(document, "data", ())
        limits = self._table(document, "limits", ())
        return Topology(
            processes,
            databases,
            None if data is None else Path(data),
            {service: self._limits(limits, service, known, whole_system) for service in limits},
        )

    def _process(self, tables: Mapping[str, Any], name: str) -> Process:
        table = self._table(tables, name, ("process",))
        where = ("process", name)
        self._only(table, ("services", "http", "grpc", "advertise"), where)
        services = table.get("services", [])
        if not isinstance(services, list) or not all(isinstance(each, str) for each in services):
            raise self._error((*where, "services"), "services: expected an array of service names")
        return Process(
            name,
            tuple(services),
            http=self._address(table, "http", where),
            grpc=self._address(table, "grpc", where),
            advertise=self._advertise(table, where),
        )

    def _check_services(
        self, processes: Mapping[str, Process], known: Sequence[str], *, whole_system: bool
    ) -> None:
        home: dict[str, str] = {}
        for process in processes.values():
            where = ("process", process.name, "services")
            for service in process.services:
                if whole_system and service not in known:
                    raise self._unknown(where, service, known, service)
                if service in home:
                    raise self._error(
                        where,
                        f"service '{service}' is in process '{home[service]}' already",
                        service,
                    )
                home[service] = process.name
            if process.services and not process.addresses and len(processes) > 1:
                raise self._error(
                    where, f"process '{process.name}' hosts services and needs an address: grpc"
                )
            if process.http is None and not process.addresses:
                raise self._error(
                    where, f"process '{process.name}' listens nowhere: give it http or grpc"
                )
        for service in known:
            if service not in home:
                first = ("process", next(iter(processes)))
                raise self._error(first, f"service '{service}' is in no process; add it to one")

    def _check_addresses(self, processes: Mapping[str, Process]) -> None:
        taken: dict[Address, str] = {}
        for process in processes.values():
            for kind, address in (("http", process.http), ("grpc", process.grpc)):
                if address is None:
                    continue
                where = ("process", process.name, kind)
                if address.port == 0 and not address.is_unix:
                    if kind == "grpc" and len(processes) > 1 and not process.advertise:
                        raise self._error(where, "grpc: other processes need a port that is not 0")
                    continue
                if address in taken:
                    raise self._error(where, f"{kind}: {address} is taken by {taken[address]}")
                taken[address] = f"{kind} of process '{process.name}'"

    def _check_database(
        self,
        databases: Mapping[str, Any],
        service: str,
        known: Sequence[str],
        *,
        whole_system: bool,
    ) -> None:
        where = ("database", service)
        if whole_system and service not in known:
            raise self._unknown(where, service, known)
        url = self._string(databases, service, ("database",))
        try:
            database_url(url or "")
        except ValueError as error:
            raise self._error(where, f"{service}: {error}") from None

    def _limits(
        self, tables: Mapping[str, Any], service: str, known: Sequence[str], whole_system: bool
    ) -> Limits:
        where = ("limits", service)
        if whole_system and service not in known:
            raise self._unknown(where, service, known)
        table = self._table(tables, service, ("limits",))
        self._only(table, ("concurrent", "queued"), where)
        return Limits(
            concurrent=self._number(table, "concurrent", where, 1, DEFAULT_LIMITS.concurrent),
            queued=self._number(table, "queued", where, 0, DEFAULT_LIMITS.queued),
        )

    def _number(
        self, table: Mapping[str, Any], key: str, path: tuple[str, ...], least: int, default: int
    ) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._error((*path, key), f"{key}: expected a whole number from {least}")
        return value

    def _advertise(self, table: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
        where = (*path, "advertise")
        value = table.get("advertise", [])
        targets = [value] if isinstance(value, str) else value
        if not isinstance(targets, list) or not all(isinstance(each, str) for each in targets):
            raise self._error(where, "advertise: expected an address or an array of addresses")
        families: set[int | None] = set()
        for target in targets:
            if target.startswith((DNS, UNIX)) and len(targets) > 1:
                raise self._error(where, f"advertise: '{target}' must stand alone", target)
            try:
                address = Address.parse(target.removeprefix(DNS))
            except ValueError as error:
                raise self._error(where, f"advertise: {error}", target) from None
            if address.port == 0 and not target.startswith(UNIX):
                raise self._error(
                    where, "advertise: other processes need a port that is not 0", target
                )
            families.add(_family(address))
            # gRPC takes a list of one family, and looks up no name in it.
            if len(targets) > 1 and (None in families or len(families) > 1):
                raise self._error(
                    where,
                    f"advertise: '{target}' cannot stand in this list; "
                    "expected numeric addresses that are all IPv4 or all IPv6",
                    target,
                )
        return tuple(targets)

    def _unknown(
        self, path: Sequence[str], service: str, known: Sequence[str], mention: str = ""
    ) -> TopologyError:
        expected = ", ".join(sorted(known))
        return self._error(
            path, f"unknown service '{service}'; expected one of {expected}", mention
        )

    def _table(
        self, table: Mapping[str, Any], key: str, path: tuple[str, ...]
    ) -> Mapping[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self._error((*path, key), f"{key}: expected a table")
        return value

    def _string(self, table: Mapping[str, Any], key: str, path: tuple[str, ...]) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error((*path, key), f"{key}: expected a string")
        return value

    def _address(self, table: Mapping[str, Any], key: str, path: tuple[str, ...]) -> Address | None:
        text = self._string(table, key, path)
        if text is None:
            return None
        try:
            return Address.parse(text)
        except ValueError as error:
            raise self._error((*path, key), f"{key}: {error}") from None

    def _only(
        self, table: Mapping[str, Any], allowed: Sequence[str], path: tuple[str, ...]
    ) -> None:
        for key in table:
            if key not in allowed:
                raise self._error(
                    (*path, key), f"unknown setting '{key}'; expected {', '.join(allowed)}"
                )

    def _error(self, path: Sequence[str], reason: str, mention: str = "") -> TopologyError:
        return TopologyError(f"{self._path}:{line_of(self._text, path, mention)}: {reason}")
