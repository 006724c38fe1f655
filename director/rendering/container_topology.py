"""The topology file that containers share.

What was on the machine of the topology is found by the name of a container. Files are where they
are mounted. What is secret is left out: processes take it from their environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from director.rendering.toml import setting, table
from seam.http.rate import Rate
from seam.http.settings import DEFAULT_HTTP_SETTINGS, HttpSettings
from seam.runtime.topology import PROCESS_IN_PATH, Topology, TopologyError

if TYPE_CHECKING:
    from director.rendering.containers import Container

POSTGRES: Final = "postgres"
NATS: Final = "nats"
"""Containers that stand in for servers on the machine of the topology."""

DATA: Final = "/data"
"""Where containers keep embedded databases."""

CERTIFICATES: Final = "/etc/shop-certificates"
"""Where a process finds what it proves to others: `ca.pem`, `PROCESS.pem` and `PROCESS.key`."""

HTTP_CERTIFICATE: Final = "/etc/shop-http"
"""Where a process that serves HTTPS finds `tls.crt` and `tls.key`."""

ISSUER_KEYS: Final = "/etc/shop-issuer/jwks.json"
"""Where processes find the public keys of an issuer that has them in a file."""

_UNITS: Final = {1: "second", 60: "minute", 3_600: "hour", 86_400: "day"}

_TRUSTED: Final = (
    "",
    "# Nobody but these containers gets to these ports: the network of Compose and the policies of",
    "# Kubernetes see to that.",
)


def container_topology(topology: Topology, containers: Sequence[Container]) -> str:
    """The text of the topology file.

    Raises:
        TopologyError: a setting holds a password.
    """
    rows = [setting("data", DATA)]
    if _needs_trust(topology):
        rows += [*_TRUSTED, setting("trusted_network", value=True)]
    for container in containers:
        rows += table(("process", container.process.name), dict(_process(container)))
    broker = None if topology.broker is None else without_user(moved(topology.broker, NATS))
    if broker is not None:
        rows += table(("events",), {"broker": broker})
    for name, pool in topology.pools.items():
        rows += table(
            ("pool", name),
            {"connections": pool.connections, "wait": pool.wait, "statement": pool.statement},
        )
    for name, limits in topology.limits.items():
        rows += table(("limits", name), {"concurrent": limits.concurrent, "queued": limits.queued})
    rows += table(("http",), dict(_http(topology.http)))
    for name, settings in topology.settings.items():
        for key, each in settings.items():
            _check_public(f"settings.{name}.{key}", each.value, each.origin)
        rows += table(("settings", name), {key: each.value for key, each in settings.items()})
    if topology.tls is not None:
        named = f"{CERTIFICATES}/{PROCESS_IN_PATH}"
        files = {"ca": f"{CERTIFICATES}/ca.pem", "certificate": f"{named}.pem"}
        rows += table(("tls",), {**files, "key": f"{named}.key"})
    if topology.auth is not None:
        rows += table(("auth",), dict(_auth(topology)))
    return "\n".join(rows) + "\n"


def moved(url: str, name: str) -> str:
    """A URL, or several with commas between, with a container in the machine's place."""
    return ",".join(_moved(each.strip(), name) for each in url.split(","))


def without_user(url: str) -> str:
    """A URL, or several, without what they say of a user."""
    return ",".join(
        urlsplit(each)._replace(netloc=urlsplit(each).netloc.rpartition("@")[2]).geturl()
        for each in url.split(",")
    )


def has_keys_file(topology: Topology) -> bool:
    """Whether an issuer has its keys in a file."""
    auth = topology.auth
    return auth is not None and auth.jwks != "" and "://" not in auth.jwks


def _needs_trust(topology: Topology) -> bool:
    """Whether processes listen, or send events, where nobody has to prove who they are."""
    alone = topology.broker is not None and not urlsplit(topology.broker.split(",")[0]).username
    return topology.trusted_network or topology.tls is None or alone


def _process(container: Container) -> Iterator[tuple[str, object]]:
    if container.process.services:
        yield "services", container.process.services
    if container.http is not None:
        yield "http", f"0.0.0.0:{container.http}"
    if container.grpc is not None:
        yield "grpc", f"0.0.0.0:{container.grpc}"
        yield "advertise", f"dns:///{container.name}:{container.grpc}"


def _http(settings: HttpSettings) -> Iterator[tuple[str, object]]:
    """What differs from the defaults."""
    given = settings
    if settings.certificate is not None:
        yield "certificate", f"{HTTP_CERTIFICATE}/tls.crt"
        yield "key", f"{HTTP_CERTIFICATE}/tls.key"
        given = replace(given, certificate=None, key=None)
    if settings.rate_limit_store is not None:
        _check_public("http.rate_limit_store", settings.rate_limit_store, "[http]")
        yield "rate_limit_store", moved(settings.rate_limit_store, POSTGRES)
        given = replace(given, rate_limit_store=None)
    for name in HttpSettings.__slots__:
        value = getattr(given, name)
        if value == getattr(DEFAULT_HTTP_SETTINGS, name):
            continue
        if isinstance(value, Rate):
            yield name, f"{value.amount}/{_UNITS[value.seconds]}"
        elif name == "trusted_proxies":
            yield name, [str(each) for each in value]
        else:
            yield name, value


def _auth(topology: Topology) -> Iterator[tuple[str, object]]:
    assert topology.auth is not None
    yield "issuer", topology.auth.issuer
    yield "audience", topology.auth.audience
    if topology.auth.jwks:
        yield "jwks", ISSUER_KEYS if has_keys_file(topology) else topology.auth.jwks
    yield "roles", ".".join(topology.auth.roles)


def _check_public(name: str, value: object, origin: str) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_public(f"{name}.{key}", each, origin)
    elif isinstance(value, list):
        for each in value:
            _check_public(name, each, origin)
    elif isinstance(value, str) and _password(value):
        raise TopologyError(
            f"{origin}: {name} holds a password, which is rendered into no file; give it by the "
            "environment, or by a file that is mounted"
        )


def _password(text: str) -> bool:
    try:
        return bool(urlsplit(text).password)
    except ValueError:
        # Brackets that are no address. What is no URL has no password.
        return False


def _moved(url: str, name: str) -> str:
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
