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

import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from seam.bus import Limits
from seam.bus.bulkhead import DEFAULT_LIMITS
from seam.http.settings import HttpSettings
from seam.persistence import DEFAULT_POOL, PoolLimits
from seam.runtime.http_settings import HttpSettingError, HttpTable, http_settings
from seam.runtime.service_settings import Setting
from seam.runtime.toml_lines import line_of
from seam.runtime.topology import (
    DEFAULT_DATABASE,
    DNS,
    UNIX,
    Address,
    IssuerSettings,
    Process,
    TlsFiles,
    Topology,
    TopologyError,
    check_database,
    check_issuer_url,
    nats_url,
    shown,
)
from seam.runtime.type_words import in_words

MAXIMUM_BYTES: Final = 64 * 1024

MAXIMUM_LINE: Final = 1_000
"""Characters of a line. A dotted key cannot be longer, and the parser takes the square of that."""

T = TypeVar("T")

_AT: Final = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<key>\w*).*`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_TOML_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


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


class _Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[process.NAME]`."""

    services: tuple[str, ...] = ()
    http: str | None = None
    grpc: str | None = None
    advertise: str | tuple[str, ...] = ()
    nats: str | None = None


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
    reader = _Reader(path, _text(path), known, whole_system=whole_system)
    return reader.topology()


def _text(path: Path) -> str:
    """The text of a file, which is bounded before it is read."""
    try:
        # A pipe would be waited for as soon as it is opened.
        is_file = stat.S_ISREG(path.stat().st_mode)
        content = b""
        if is_file:
            with path.open("rb") as file:
                content = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TopologyError(f"{path}: cannot read the topology: {error}") from None
    if not is_file:
        raise TopologyError(f"{path}: cannot read the topology: not a regular file")
    if len(content) > MAXIMUM_BYTES:
        raise TopologyError(f"{path}:1: larger than {MAXIMUM_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TopologyError(f"{path}:{line}: not valid TOML: expected UTF-8 text") from None


class _Reader:
    """Turns a text into a topology, and points at what is wrong with it."""

    def __init__(self, path: Path, text: str, known: Sequence[str], *, whole_system: bool) -> None:
        self._path = path
        self._text = text
        self._known = known
        self._whole_system = whole_system

    def topology(self) -> Topology:
        document = self._convert(self._document(), _Document)
        if not document.process:
            raise self._error((), "no process; expected at least one table [process.NAME]")
        processes = {name: self._process(name, each) for name, each in document.process.items()}
        self._check_services(processes)
        self._check_addresses(processes)
        return Topology(
            processes,
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

    def _document(self) -> dict[str, Any]:
        lines = self._text.split("\n")
        for number, text in enumerate(lines, start=1):
            if len(text) > MAXIMUM_LINE:
                raise TopologyError(
                    f"{self._path}:{number}: a line of more than {MAXIMUM_LINE} characters"
                )
        try:
            return tomllib.loads(self._text)
        except RecursionError:
            raise TopologyError(f"{self._path}:1: not valid TOML: nested too deeply") from None
        except ValueError as error:
            where = _TOML_LINE.search(str(error))
            line = int(where[1] or len(lines)) if where else 1
            reason = shown(_TOML_LINE.sub("", str(error)))[1:-1]
            raise TopologyError(f"{self._path}:{line}: not valid TOML: {reason}") from None

    def _convert(self, value: object, kind: type[T], *path: str) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            found = _AT.fullmatch(str(error))
            reason, key = (found["reason"], found["key"]) if found else (str(error), "")
            if unknown := _UNKNOWN.fullmatch(reason):
                expected = ", ".join(kind.__struct_fields__)  # type: ignore[attr-defined]
                reason = f"unknown setting {shown(unknown[1])}; expected {expected}"
                raise self._error((*path, unknown[1]), reason) from None
            where = (*path, key) if key else path
            name = key or shown(where[-1])
            raise self._error(where, f"{name}: {in_words(reason)}") from None

    def _process(self, name: str, value: object) -> Process:
        where = ("process", name)
        table = self._convert(value, _Process, *where)
        targets = table.advertise
        return Process(
            name,
            table.services,
            http=self._address(table.http, *where, "http"),
            grpc=self._address(table.grpc, *where, "grpc"),
            advertise=self._advertise((targets,) if isinstance(targets, str) else targets, *where),
            nats=self._nats(table.nats, *where, "nats"),
        )

    def _check_services(self, processes: Mapping[str, Process]) -> None:
        home: dict[str, str] = {}
        for process in processes.values():
            where = ("process", process.name, "services")
            for service in process.services:
                self._check_known(service, *where, mention=service)
                if service in home:
                    first = shown(home[service])
                    raise self._error(
                        where, f"service {shown(service)} is in process {first} already", service
                    )
                home[service] = process.name
            name = shown(process.name)
            can_be_called = process.addresses or process.nats
            if process.services and not can_be_called and len(processes) > 1:
                raise self._error(
                    where, f"process {name} hosts services and needs an address: grpc or nats"
                )
            if process.http is None and not can_be_called:
                reason = f"process {name} listens nowhere: give it http, grpc or nats"
                raise self._error(where, reason)
        for service in self._known:
            if service not in home:
                first_process = ("process", next(iter(processes)))
                reason = f"service '{service}' is in no process; add it to one"
                raise self._error(first_process, reason)

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
                taken[address] = f"{kind} of process {shown(process.name)}"

    def _database(self, service: str, value: object) -> str:
        where = ("database", service)
        if service != DEFAULT_DATABASE:
            self._check_known(service, *where)
        url = self._convert(value, str, *where)
        try:
            check_database(service, url)
        except ValueError as error:
            raise self._error(where, f"database of {shown(service)}: {error}") from None
        return url

    def _pools(self, tables: Mapping[str, Any]) -> dict[str, PoolLimits]:
        pools = {}
        if DEFAULT_DATABASE in tables:
            pools[DEFAULT_DATABASE] = self._pool(DEFAULT_DATABASE, tables, DEFAULT_POOL)
        others = pools.get(DEFAULT_DATABASE, DEFAULT_POOL)
        for service in tables.keys() - pools.keys():
            self._check_known(service, "pool", service)
            pools[service] = self._pool(service, tables, others)
        return pools

    def _pool(self, name: str, tables: Mapping[str, Any], others: PoolLimits) -> PoolLimits:
        table = self._convert(tables[name], _Pool, "pool", name)
        return PoolLimits(
            connections=table.connections or others.connections,
            wait=table.wait or others.wait,
            statement=table.statement or others.statement,
        )

    def _limits(self, service: str, value: object) -> Limits:
        where = ("limits", service)
        self._check_known(service, *where)
        table = self._convert(value, _Limits, *where)
        return Limits(concurrent=table.concurrent, queued=table.queued)

    def _broker(self, table: dict[str, Any]) -> str | None:
        if not table:
            return None
        url = self._convert(table, _Events, "events").broker
        try:
            for server in url.split(","):
                nats_url(server.strip())
        except ValueError as error:
            raise self._error(("events", "broker"), f"broker: {error}") from None
        return url

    def _tls(self, table: dict[str, Any]) -> TlsFiles | None:
        if not table:
            return None
        files = self._convert(table, _Tls, "tls")
        for name in files.__struct_fields__:
            path = getattr(files, name)
            if not path or not path.isprintable():
                raise self._error(("tls", name), f"{name}: {shown(path)} is not a file's name")
        return TlsFiles(files.ca, files.certificate, files.key)

    def _auth(self, table: dict[str, Any]) -> IssuerSettings | None:
        if not table:
            return None
        settings = self._convert(table, _Auth, "auth")
        for name in ("issuer", "audience"):
            if not getattr(settings, name):
                raise self._error(("auth", name), f"{name}: expected a text that tokens name")
        roles = tuple(settings.roles.split("."))
        if not all(roles):
            reason = f"roles: {shown(settings.roles)} is no path; expected names with dots between"
            raise self._error(("auth", "roles"), reason)
        name = "jwks" if "://" in settings.jwks else "issuer"
        if name == "jwks" or not settings.jwks:
            try:
                check_issuer_url(getattr(settings, name))
            except ValueError as error:
                raise self._error(("auth", name), f"{name}: {error}") from None
        return IssuerSettings(settings.issuer, settings.audience, settings.jwks, roles)

    def _http(self, value: object) -> HttpSettings:
        table = self._convert(value, HttpTable, "http")
        try:
            return http_settings(table)
        except HttpSettingError as error:
            where = ("http", error.name)
            raise self._error(where, f"{error.name}: {error}", error.mention) from None

    def _settings(self, service: str, value: object) -> dict[str, Setting]:
        where = ("settings", service)
        self._check_known(service, *where)
        table = self._convert(value, dict[str, Any], *where)
        return {
            name: Setting(each, f"{self._path}:{line_of(self._text, (*where, name))}")
            for name, each in table.items()
        }

    def _data(self, directory: str | None) -> Path | None:
        if directory is None:
            return None
        if not directory or not directory.isprintable():
            raise self._error(("data",), f"data: {shown(directory)} is not a directory's name")
        return Path(directory)

    def _address(self, text: str | None, *path: str) -> Address | None:
        if text is None:
            return None
        try:
            return Address.parse(text)
        except ValueError as error:
            raise self._error(path, f"{path[-1]}: {error}") from None

    def _nats(self, text: str | None, *path: str) -> str | None:
        try:
            return None if text is None else nats_url(text)
        except ValueError as error:
            raise self._error(path, f"nats: {error}") from None

    def _advertise(self, targets: tuple[str, ...], *path: str) -> tuple[str, ...]:
        where = (*path, "advertise")
        families: set[int | None] = set()
        for target in targets:
            name = shown(target)
            if target.startswith((DNS, UNIX)) and len(targets) > 1:
                raise self._error(where, f"advertise: {name} must stand alone", target)
            try:
                address = Address.parse(target.removeprefix(DNS))
            except ValueError as error:
                raise self._error(where, f"advertise: {error}", target) from None
            if address.port == 0 and not target.startswith(UNIX):
                reason = "advertise: other processes need a port that is not 0"
                raise self._error(where, reason, target)
            families.add(_family(address))
            # gRPC takes a list of one family, and looks up no name in it.
            if len(targets) > 1 and (None in families or len(families) > 1):
                reason = (
                    f"advertise: {name} cannot stand in this list; "
                    "expected numeric addresses that are all IPv4 or all IPv6"
                )
                raise self._error(where, reason, target)
        return targets

    def _check_known(self, service: str, *path: str, mention: str = "") -> None:
        if self._whole_system and service not in self._known:
            expected = ", ".join(sorted(self._known))
            reason = f"unknown service {shown(service)}; expected one of {expected}"
            raise self._error(path, reason, mention)

    def _error(self, path: Sequence[str], reason: str, mention: str = "") -> TopologyError:
        return TopologyError(f"{self._path}:{line_of(self._text, path, mention)}: {reason}")


def _family(address: Address) -> int | None:
    """4 or 6; None for a name."""
    try:
        return ip_address(address.host).version
    except ValueError:
        return None
