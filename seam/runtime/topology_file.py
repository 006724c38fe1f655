"""Reads topology files.

A topology file is TOML:

    data = "/srv/shop"                      # optional; where embedded databases lie

    [process.director]
    http = "127.0.0.1:8080"                 # serves the routes of every service

    [process.inventory]
    services = ["inventory"]
    grpc = "127.0.0.1:7101"                 # answers other processes
    advertise = ["10.0.0.1:7101", "10.0.0.2:7101"]   # optional; where others find it, if elsewhere

    [process.shopping_cart]
    services = ["shopping_cart"]
    nats = "nats://127.0.0.1:4222"          # answers other processes over this NATS server instead

    [database]                              # optional; SQLite below `data` otherwise
    default = "postgresql://{service}@…"    # each service's name goes where {service} is
    inventory = "postgresql://…"            # comes before the default

    [pool.default]                          # optional; of connections to PostgreSQL
    connections = 17                        # of one process to one service's database, at most
    wait = 3.0                              # seconds for one that others use
    statement = 60.0                        # seconds for a statement; the server ends it

    [pool.inventory]
    connections = 4                         # the rest is as in `default`

    [limits.inventory]
    concurrent = 256                        # optional; calls that it answers at a time
    queued = 1024                           # optional; calls that wait for one of them to end

    [events]
    broker = "nats://127.0.0.1:4222"        # carries events between processes

    [http]                                  # optional; how HTTP is served, see docs/gateway.md
    allowed_origins = ["https://shop.example"]

    [settings.payments]
    provider = "https://…"                  # optional; what a service knows, see its documentation

    [tls]                                   # how processes prove to each other who they are
    ca = "certificates/ca.pem"
    certificate = "certificates/{process}.pem"
    key = "certificates/{process}.key"

    [auth]                                  # optional; an OpenID Connect issuer in the shop's place
    issuer = "https://id.example.org/realms/shop"
    audience = "shop"
    jwks = "https://…"                      # optional; a URL or a file, else the issuer tells
    roles = "realm_access.roles"            # optional; the claim with the roles

A process listens for others on a loopback address or a Unix socket, unless there is a `[tls]`, or
the file says `trusted_network = true`: that nobody else reaches these ports.

`grpc` may be `unix:PATH`. `advertise` may be several addresses of processes that are alike, or one
`dns:///HOST:PORT`; calls are spread over all that serve. Nothing in the file names code: the same
artifacts serve every topology.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from seam.bus import Limits
from seam.bus.bulkhead import DEFAULT_LIMITS
from seam.http.settings import HttpSettings
from seam.persistence import DEFAULT_POOL, PoolLimits
from seam.runtime.http_settings import HttpSettingError, HttpTable, http_settings
from seam.runtime.service_settings import Setting
from seam.runtime.topology import (
    DEFAULT_DATABASE,
    IssuerSettings,
    TlsFiles,
    Topology,
    check_database,
    check_issuer_url,
    nats_url,
    shown,
)
from seam.runtime.topology_processes import ProcessReader
from seam.runtime.topology_text import TopologyText


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file; what has a name of its own is converted apart, so that errors can tell it."""

    data: str | None = None
    process: dict[str, Any] = {}
    database: dict[str, Any] = {}
    pool: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    events: dict[str, Any] = {}
    http: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    tls: dict[str, Any] = {}
    auth: dict[str, Any] = {}
    trusted_network: bool = False


class _Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[events]`."""

    broker: str


class _Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[tls]`."""

    ca: str
    certificate: str
    key: str


class _Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[auth]`."""

    issuer: str
    audience: str
    jwks: str = ""
    roles: str = "roles"


class _Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[limits.NAME]`."""

    concurrent: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = DEFAULT_LIMITS.concurrent
    queued: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = DEFAULT_LIMITS.queued


class _Pool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[pool.NAME]`; what it leaves out is as in `[pool.default]`."""

    connections: Annotated[int, msgspec.Meta(ge=2, le=1_000)] | None = None
    wait: Annotated[float, msgspec.Meta(ge=0.1, le=60)] | None = None
    statement: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] | None = None


def read_topology(path: Path, *, known: Sequence[str], whole_system: bool) -> Topology:
    """Read and check a topology file.

    Args:
        path: the TOML file.
        known: names of the services that must be placed.
        whole_system: whether `known` are all services there are, so that any other is a mistake.

    Raises:
        TopologyError: the file cannot be read, or says something that cannot be.
    """
    return _Reader(TopologyText(path, known, whole_system=whole_system)).topology()


class _Reader:
    """Turns a text into a topology."""

    def __init__(self, text: TopologyText) -> None:
        self._text = text

    def topology(self) -> Topology:
        document = self._text.convert(self._text.document(), _Document)
        return Topology(
            ProcessReader(self._text).read(document.process),
            {name: self._database(name, each) for name, each in document.database.items()},
            self._data(document.data),
            {name: self._limits(name, each) for name, each in document.limits.items()},
            self._broker(document.events),
            {name: self._settings(name, each) for name, each in document.settings.items()},
            self._pools(document.pool),
            self._tls(document.tls),
            document.trusted_network,
            self._auth(document.auth),
            self._http(document.http),
        )

    def _database(self, service: str, value: object) -> str:
        where = ("database", service)
        if service != DEFAULT_DATABASE:
            self._text.check_known(service, *where)
        url = self._text.convert(value, str, *where)
        try:
            check_database(service, url)
        except ValueError as error:
            raise self._text.error(where, f"database of {shown(service)}: {error}") from None
        return url

    def _pools(self, tables: Mapping[str, Any]) -> dict[str, PoolLimits]:
        pools = {}
        if DEFAULT_DATABASE in tables:
            pools[DEFAULT_DATABASE] = self._pool(DEFAULT_DATABASE, tables, DEFAULT_POOL)
        others = pools.get(DEFAULT_DATABASE, DEFAULT_POOL)
        for service in tables.keys() - pools.keys():
            self._text.check_known(service, "pool", service)
            pools[service] = self._pool(service, tables, others)
        return pools

    def _pool(self, name: str, tables: Mapping[str, Any], others: PoolLimits) -> PoolLimits:
        table = self._text.convert(tables[name], _Pool, "pool", name)
        return PoolLimits(
            connections=table.connections or others.connections,
            wait=table.wait or others.wait,
            statement=table.statement or others.statement,
        )

    def _limits(self, service: str, value: object) -> Limits:
        where = ("limits", service)
        self._text.check_known(service, *where)
        table = self._text.convert(value, _Limits, *where)
        return Limits(concurrent=table.concurrent, queued=table.queued)

    def _broker(self, table: dict[str, Any]) -> str | None:
        if not table:
            return None
        url = self._text.convert(table, _Events, "events").broker
        try:
            for server in url.split(","):
                nats_url(server.strip())
        except ValueError as error:
            raise self._text.error(("events", "broker"), f"broker: {error}") from None
        return url

    def _tls(self, table: dict[str, Any]) -> TlsFiles | None:
        if not table:
            return None
        files = self._text.convert(table, _Tls, "tls")
        for name in files.__struct_fields__:
            path = getattr(files, name)
            if not path or not path.isprintable():
                raise self._text.error(("tls", name), f"{name}: {shown(path)} is not a file's name")
        return TlsFiles(files.ca, files.certificate, files.key)

    def _auth(self, table: dict[str, Any]) -> IssuerSettings | None:
        if not table:
            return None
        settings = self._text.convert(table, _Auth, "auth")
        for name in ("issuer", "audience"):
            if not getattr(settings, name):
                raise self._text.error(("auth", name), f"{name}: expected a text that tokens name")
        roles = tuple(settings.roles.split("."))
        if not all(roles):
            reason = f"roles: {shown(settings.roles)} is no path; expected names with dots between"
            raise self._text.error(("auth", "roles"), reason)
        name = "jwks" if "://" in settings.jwks else "issuer"
        if name == "jwks" or not settings.jwks:
            try:
                check_issuer_url(getattr(settings, name))
            except ValueError as error:
                raise self._text.error(("auth", name), f"{name}: {error}") from None
        return IssuerSettings(settings.issuer, settings.audience, settings.jwks, roles)

    def _http(self, value: object) -> HttpSettings:
        table = self._text.convert(value, HttpTable, "http")
        try:
            return http_settings(table)
        except HttpSettingError as error:
            where = ("http", error.name)
            raise self._text.error(where, f"{error.name}: {error}", error.mention) from None

    def _settings(self, service: str, value: object) -> dict[str, Setting]:
        where = ("settings", service)
        self._text.check_known(service, *where)
        table = self._text.convert(value, dict[str, Any], *where)
        return {
            name: Setting(each, self._text.where((*where, name))) for name, each in table.items()
        }

    def _data(self, directory: str | None) -> Path | None:
        if directory is None:
            return None
        if not directory or not directory.isprintable():
            raise self._text.error(("data",), f"data: {shown(directory)} is not a directory's name")
        return Path(directory)
