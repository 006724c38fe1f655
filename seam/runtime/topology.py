"""Which services live in which process, and where each process listens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from seam.bus import Limits
from seam.http.settings import DEFAULT_HTTP_SETTINGS, HttpSettings
from seam.persistence import PoolLimits, pool_for
from seam.persistence.database import database_url
from seam.runtime.service_settings import Setting

DEFAULT_HTTP: Final = "127.0.0.1:8080"

UNIX: Final = "unix:"
DNS: Final = "dns:///"

MAXIMUM_UNIX_PATH: Final = 107
"""Bytes of a Unix socket's path, see unix(7)."""

DEFAULT_DATABASE: Final = "default"
"""In the place of a service's name: the database, or the pool, of all that are not named."""

SERVICE_IN_URL: Final = "{service}"
"""In the URL of `DEFAULT_DATABASE`: where the service's name goes."""

PROCESS_IN_PATH: Final = "{process}"
"""In the path of a certificate or key: where the process's name goes."""

_LOCALHOST: Final = "localhost"

_MAXIMUM_SHOWN: Final = 200
_NATS_SCHEMES: Final = frozenset({"nats", "tls"})


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
        if not text.isprintable():
            raise ValueError(f"{shown(text)} is not an address; expected printable characters")
        if text.startswith(UNIX) and len(text) > len(UNIX):
            if len(os.fsencode(text.removeprefix(UNIX))) > MAXIMUM_UNIX_PATH:
                raise ValueError(
                    f"{shown(text)} is not an address; "
                    f"expected a path of at most {MAXIMUM_UNIX_PATH} bytes"
                )
            return Address(text, 0)
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        usable = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535
        if not colon or not host or not usable or (":" in host and not bracketed):
            raise ValueError(
                f"{shown(text)} is not an address; expected HOST:PORT with a port to 65535"
            )
        return Address(host, int(port))

    @property
    def is_unix(self) -> bool:
        """Whether it is a Unix socket."""
        return self.host.startswith(UNIX)

    @property
    def is_local(self) -> bool:
        """Whether nothing but this machine reaches it."""
        return self.is_unix or is_loopback(self.host)

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
        nats: URL of the NATS server over which it answers other processes, if it does; they then
            call it there, and over gRPC only with stubs that protoc has made.
    """

    name: str
    services: tuple[str, ...]
    http: Address | None = None
    grpc: Address | None = None
    advertise: tuple[str, ...] = ()
    nats: str | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others find it."""
        return self.advertise or ((str(self.grpc),) if self.grpc else ())


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a process proves to others that it is, and by which it checks the others.

    Attributes:
        ca: certificates of the authorities that sign for processes of the system.
        certificate: the process's certificate, which names its services, and those between it and
            `ca`.
        key: its private key.
    """

    ca: str
    certificate: str
    key: str

    def of(self, process: str) -> TlsFiles:
        """The files of a process, whose name stands where these say {process}."""
        return TlsFiles(
            *(
                each.replace(PROCESS_IN_PATH, process)
                for each in (self.ca, self.certificate, self.key)
            )
        )


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """Who issues the tokens of users, if that is not the shop itself.

    Attributes:
        issuer: the `iss` of its tokens; for an OpenID Connect issuer its URL.
        audience: what must be in their `aud`.
        jwks: where its public keys are: a URL or a file; "" to have the issuer tell.
        roles: the names that lead to the claim with the roles, outermost first.
    """

    issuer: str
    audience: str
    jwks: str = ""
    roles: tuple[str, ...] = ("roles",)


@dataclass(frozen=True, slots=True)
class Topology:
    """All processes of a running system.

    Attributes:
        processes: by name.
        databases: URL of a service's database, by service or for `DEFAULT_DATABASE`; embedded when
            absent.
        data: directory of the embedded databases, if the file names one.
        limits: how much a service takes on, by service; the default when absent.
        broker: URL of the broker that carries events between processes, if there is one.
        settings: what a service knows, by service and name.
        pools: how much of a server of PostgreSQL each process takes for a service, by service or
            for `DEFAULT_DATABASE`.
        tls: how processes prove to each other who they are, if they do.
        trusted_network: whether nobody but these processes can reach their ports, so that they
            need prove nothing.
        auth: who issues the tokens of users, if that is not the shop itself.
        http: how processes serve HTTP.
    """

    processes: Mapping[str, Process]
    databases: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    limits: Mapping[str, Limits] = field(default_factory=dict)
    broker: str | None = None
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    pools: Mapping[str, PoolLimits] = field(default_factory=dict)
    tls: TlsFiles | None = None
    trusted_network: bool = False
    auth: IssuerSettings | None = None
    http: HttpSettings = DEFAULT_HTTP_SETTINGS

    def pool_of(self, service: str) -> PoolLimits:
        """How much of a server the process that hosts a service takes for it."""
        told = self.pools.get(service) or self.pools.get(DEFAULT_DATABASE)
        home = self.home(service)
        return told or pool_for(len(home.services) if home else 1)

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


def database_of(databases: Mapping[str, str], service: str) -> str | None:
    """The URL of a service's database, if `databases` name one for it or for all."""
    if service in databases:
        return databases[service]
    url = databases.get(DEFAULT_DATABASE)
    return None if url is None else url.replace(SERVICE_IN_URL, service)


def check_database(service: str, url: str) -> None:
    """Check the URL of a service's database, or that of `DEFAULT_DATABASE`.

    Raises:
        ValueError: it is none, or that of all services does not tell one from another.
    """
    if service != DEFAULT_DATABASE:
        database_url(url)
        return
    if SERVICE_IN_URL not in url:
        raise ValueError(
            f"expected {SERVICE_IN_URL} in it, where the name of each service goes, so that each "
            "has a role or a file of its own"
        )
    database_url(url.replace(SERVICE_IN_URL, "service"))


def nats_url(text: str) -> str:
    """Check the URL of a NATS server.

    Raises:
        ValueError: it is none. The text does not repeat it, as it may hold a password.
    """
    reason = "expected nats://HOST:PORT or tls://HOST:PORT, with USER:PASSWORD@ before the host"
    try:
        parts = urlsplit(text)
        usable = parts.port is not None
    except ValueError:
        raise ValueError(f"{reason}, and a port to 65535") from None
    extra = parts.path or parts.query or parts.fragment
    if not text.isprintable() or parts.scheme not in _NATS_SCHEMES or not parts.hostname:
        raise ValueError(reason)
    if not usable or extra:
        raise ValueError(f"{reason}, and nothing after the port")
    return text


def check_issuer_url(text: str) -> None:
    """Check the URL of an issuer, or of its keys.

    Raises:
        ValueError: it is none, or what it gives could be changed on the way.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname
        # A port that is none is only found when it is asked for.
        usable = parts.port is None or parts.port > 0
    except ValueError:
        host, usable = None, False
    if not usable or not host or not text.isprintable() or parts.username or parts.fragment:
        raise ValueError(f"{shown(text)} is no URL; expected https://HOST/…")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"{shown(text)}: expected https://, except on this machine")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and no other."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOCALHOST


def shown(text: str) -> str:
    """Quote a text as an error repeats it: in one line, and of bounded length."""
    return repr(text if len(text) <= _MAXIMUM_SHOWN else f"{text[:_MAXIMUM_SHOWN]}…")
