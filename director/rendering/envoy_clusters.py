"""Where an Envoy sends requests: the processes of a topology, and how it proves itself to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from director.rendering.envoy_extensions import Yaml, message
from seam.runtime.network import FRONT
from seam.runtime.topology import (
    DNS,
    UNIX,
    Address,
    Process,
    TlsFiles,
    Topology,
    TopologyError,
)

DIRECTOR: Final = "director:http"
"""The cluster of what serves HTTP by itself. No service has such a name."""

CONNECT_TIMEOUT: Final = "5s"
"""Of a connection and its TLS handshake, of which there are many at once when Envoy starts."""

_PORTS: Final = {"http": 80, "https": 443}

_UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 (nothing listens there)


def identity(topology: Topology) -> TlsFiles | None:
    """What Envoy proves to processes that it is; None when they ask for nothing.

    It is a process that hosts no service, whose certificate lets it call as nobody but the front
    door: the one of the topology, or else one called `director`.
    """
    if topology.tls is None:
        return None
    hosting_nothing = [each.name for each in topology.processes.values() if not each.services]
    return topology.tls.of(next(iter(hosting_nothing), FRONT))


def front_of(topology: Topology) -> Process | None:
    """The process that serves HTTP, if the topology has one."""
    return next((each for each in topology.processes.values() if each.http is not None), None)


def service_cluster(owner: str, topology: Topology) -> Yaml:
    """The cluster of a service that is called over gRPC.

    Args:
        owner: the service.
        topology: where it is.

    Raises:
        TopologyError: it has no address over which Envoy could reach it.
    """
    process = topology.home(owner)
    if process is None or not process.addresses:
        where = "no process" if process is None else f"process '{process.name}', which has no grpc"
        raise TopologyError(
            f"{owner} is in {where}; expected an address over which Envoy reaches it by gRPC"
        )
    kind, addresses = _addresses(process)
    files = identity(topology)
    http2 = "upstreams.http.v3.HttpProtocolOptions"
    return {
        **_cluster(owner, kind, addresses),
        "lb_policy": "ROUND_ROBIN",
        "typed_extension_protocol_options": {
            f"envoy.extensions.{http2}": message(
                http2, explicit_http_config={"http2_protocol_options": {}}
            )
        },
        "health_checks": [
            {
                "timeout": "2s",
                "interval": "2s",
                "no_traffic_interval": "2s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "grpc_health_check": {},
            }
        ],
        "outlier_detection": {"consecutive_5xx": 0, "consecutive_gateway_failure": 5},
        **({} if files is None else {"transport_socket": _mutual_tls(files, owner)}),
    }


def http_cluster(process: Process, topology: Topology, address: Address | None) -> Yaml:
    """The cluster of a process that serves HTTP.

    Args:
        process: the process.
        topology: says whether it does so over TLS.
        address: where Envoy reaches it, if that is not where it listens.

    Raises:
        TopologyError: it listens on all interfaces, which is no address to send anything to.
    """
    found = address or process.http
    assert found is not None
    if found.host in _UNSPECIFIED:
        raise TopologyError(
            f"process '{process.name}' serves HTTP on all interfaces; "
            "expected --director, which says where Envoy reaches it"
        )
    cluster = _cluster(DIRECTOR, "STATIC" if found.is_unix else "STRICT_DNS", [found])
    certificate = topology.http.certificate
    if certificate is not None:
        # It is for the name that browsers use. Envoy expects that very one.
        cluster["transport_socket"] = _tls({"trusted_ca": {"filename": str(certificate)}})
    return cluster


def url_cluster(name: str, url: str) -> Yaml:
    """The cluster of a server on the Internet."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    cluster = _cluster(name, "STRICT_DNS", [Address(host, parts.port or _PORTS[parts.scheme])])
    if parts.scheme == "https":
        names = [{"san_type": "DNS", "matcher": {"exact": host}}]
        cluster["transport_socket"] = _tls(
            {"match_typed_subject_alt_names": names}, system=True, sni=host
        )
    return cluster


def unix_cluster(name: str, address: Address) -> Yaml:
    """The cluster of a listener of Envoy's own, on a Unix socket."""
    return _cluster(name, "STATIC", [address])


def socket(address: Address) -> Yaml:
    """An address as Envoy writes it."""
    if address.is_unix:
        return {"pipe": {"path": address.host.removeprefix(UNIX)}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _cluster(name: str, kind: str, addresses: Sequence[Address]) -> Yaml:
    return {
        "name": name,
        "type": kind,
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": _load_assignment(name, [socket(each) for each in addresses]),
    }


def _load_assignment(name: str, addresses: Sequence[Yaml]) -> Yaml:
    endpoints = [{"endpoint": {"address": each}} for each in addresses]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}


def _addresses(process: Process) -> tuple[str, list[Address]]:
    """How Envoy finds a process, and where."""
    if process.addresses[0].startswith(DNS):
        return "STRICT_DNS", [Address.parse(process.addresses[0].removeprefix(DNS))]
    addresses = [Address.parse(each) for each in process.addresses]
    return "STATIC" if all(each.is_unix for each in addresses) else "STRICT_DNS", addresses


def _mutual_tls(files: TlsFiles, service: str) -> Yaml:
    """What Envoy proves, and that who answers is a process which hosts the service."""
    return _tls(
        {
            "trusted_ca": {"filename": files.ca},
            "match_typed_subject_alt_names": [
                {"san_type": "DNS", "matcher": {"exact": service}},
            ],
        },
        sni=service,
        certificates=[
            {
                "certificate_chain": {"filename": files.certificate},
                "private_key": {"filename": files.key},
            }
        ],
        protocols=["h2"],
    )


def _tls(
    expected: Yaml,
    *,
    sni: str = "",
    certificates: Sequence[Yaml] = (),
    protocols: Sequence[str] = (),
    system: bool = False,
) -> Yaml:
    context: Yaml = {"validation_context": {**expected}}
    if system:
        context["validation_context"]["system_root_certs"] = {}
    if certificates:
        context["tls_certificates"] = [*certificates]
    if protocols:
        context["alpn_protocols"] = [*protocols]
    named = {"sni": sni} if sni else {}
    socket_type = "transport_sockets.tls.v3.UpstreamTlsContext"
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": message(socket_type, common_tls_context=context, **named),
    }
