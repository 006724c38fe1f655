"""Which services live in which process, and where each process listens.

A topology file is TOML:

    data = "/srv/shop"                      # optional; where embedded databases lie

    [process.director]
    http = "127.0.0.1:8080"                 # serves the routes of every service

    [process.inventory]
    services = ["inventory"]
    grpc = "127.0.0.1:7101"                 # answers other processes

    [database]
    inventory = "postgresql://…"            # optional; SQLite below `data` otherwise

Nothing in it names code: the same artifacts serve every topology.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from seam.persistence.database import database_url
from seam.process.toml_lines import line_of

DEFAULT_HTTP: Final = "127.0.0.1:8080"


class TopologyError(ValueError):
    """A topology cannot be used; the text names the file, the line and what was expected."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens.

    Attributes:
        host: name or number of the interface.
        port: TCP port; 0 lets the system choose.
    """

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """Read `HOST:PORT` or `[IPV6]:PORT`.

        Raises:
            ValueError: it is neither.
        """
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        usable = port.isascii() and port.isdigit() and int(port) <= 65535
        if not colon or not host or not usable or (":" in host and not bracketed):
            raise ValueError(f"'{text}' is not an address; expected HOST:PORT with a port to 65535")
        return Address(host, int(port))

    def __str__(self) -> str:
        """`HOST:PORT`, with an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a topology.

    Attributes:
        name: its name in the topology.
        services: names of the services that it hosts.
        http: where it serves HTTP, if it does.
        grpc: where it answers other processes, if it does.
    """

    name: str
    services: tuple[str, ...]
    http: Address | None = None
    grpc: Address | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """All processes of a running system.

    Attributes:
        processes: by name.
        databases: URL of a service's database, by service; embedded when absent.
        data: directory of the embedded databases, if the file names one.
    """

    processes: Mapping[str, Process]
    databases: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None

    def home(self, service: str) -> Process | None:
        """The process that hosts a service, if one does."""
        for process in self.processes.values():
            if service in process.services:
                return process
        return None


def single_process(services: Iterable[str]) -> Topology:
    """The topology that needs no file: every service in one process, `monolith`."""
    process = Process("monolith", tuple(services), http=Address.parse(DEFAULT_HTTP))
    return Topology({process.name: process})


def read_topology(path: Path, *, known: Sequence[str], complete: bool) -> Topology:
    """Read and check a topology file.

    Args:
        path: the TOML file.
        known: names of the services that must be placed.
        complete: whether `known` are all services there are, so that any other is a mistake.

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
    return _Reader(path, text).topology(document, known, complete=complete)


class _Reader:
    """Turns the TOML document into a topology, and points at what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def topology(
        self, document: Mapping[str, Any], known: Sequence[str], *, complete: bool
    ) -> Topology:
        self._only(document, ("data", "process", "database"), ())
        tables = self._table(document, "process", ())
        if not tables:
            raise self._error((), "no process; expected at least one table [process.NAME]")
        processes = {name: self._process(tables, name) for name in tables}
        self._check_services(processes, known, complete=complete)
        self._check_addresses(processes)
        databases = self._table(document, "database", ())
        for service in databases:
            self._check_database(databases, service, known, complete=complete)
        data = self._string(document, "data", ())
        return Topology(processes, databases, None if data is None else Path(data))

    def _process(self, tables: Mapping[str, Any], name: str) -> Process:
        table = self._table(tables, name, ("process",))
        where = ("process", name)
        self._only(table, ("services", "http", "grpc"), where)
        services = table.get("services", [])
        if not isinstance(services, list) or not all(isinstance(each, str) for each in services):
            raise self._error((*where, "services"), "services: expected an array of service names")
        return Process(
            name,
            tuple(services),
            http=self._address(table, "http", where),
            grpc=self._address(table, "grpc", where),
        )

    def _check_services(
        self, processes: Mapping[str, Process], known: Sequence[str], *, complete: bool
    ) -> None:
        home: dict[str, str] = {}
        for process in processes.values():
            where = ("process", process.name, "services")
            for service in process.services:
                if complete and service not in known:
                    raise self._error(
                        where,
                        f"unknown service '{service}'; expected one of {', '.join(sorted(known))}",
                        service,
                    )
                if service in home:
                    raise self._error(
                        where,
                        f"service '{service}' is in process '{home[service]}' already",
                        service,
                    )
                home[service] = process.name
            if process.services and process.grpc is None and len(processes) > 1:
                raise self._error(
                    where, f"process '{process.name}' hosts services and needs an address: grpc"
                )
            if process.http is None and process.grpc is None:
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
                if address.port == 0:
                    if kind == "grpc" and len(processes) > 1:
                        raise self._error(where, "grpc: other processes need a port that is not 0")
                    continue
                if address in taken:
                    raise self._error(where, f"{kind}: {address} is taken by {taken[address]}")
                taken[address] = f"{kind} of process '{process.name}'"

    def _check_database(
        self, databases: Mapping[str, Any], service: str, known: Sequence[str], *, complete: bool
    ) -> None:
        where = ("database", service)
        if complete and service not in known:
            raise self._error(
                where, f"unknown service '{service}'; expected one of {', '.join(sorted(known))}"
            )
        url = self._string(databases, service, ("database",))
        try:
            database_url(url or "")
        except ValueError as error:
            raise self._error(where, f"{service}: {error}") from None

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
