"""Who may reach whom in a cluster: nothing by default, then what contracts and settings say.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from director.rendering.containers import Container, Containers
from director.rendering.kubernetes_manifest import PART_OF, Manifest, labels, metadata
from seam.auth.shop_issuer import AUTHENTICATION
from seam.contract import ServiceDescriptor
from seam.runtime import Service

_PORTS: Final = {
    "http": 80,
    "https": 443,
    "nats": 4222,
    "tls": 4222,
    "postgresql": 5432,
    "smtp": 587,
    "smtps": 465,
}
"""Where servers listen whose URL does not say it."""


def nothing_by_default() -> Manifest:
    """What closes all pods of the shop."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata("shop-nothing-by-default"),
        "spec": {
            "podSelector": {"matchLabels": PART_OF},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def network_policy(
    container: Container, containers: Containers, services: Sequence[Service]
) -> Manifest:
    """What opens one process to its callers, and to it those whom it calls.

    Args:
        container: the process.
        containers: the system.
        services: all services of the system.
    """
    callers = [
        each for each in containers.processes if _calls(each, container, containers, services)
    ]
    called = [
        each for each in containers.processes if _calls(container, each, containers, services)
    ]
    ingress: list[Manifest] = []
    if container.http is not None:
        ingress.append({"ports": [_tcp(container.http)]})
    if callers and container.grpc is not None:
        ingress.append(
            {"from": [_pods(each.name) for each in callers], "ports": [_tcp(container.grpc)]}
        )
    egress: list[Manifest] = [
        {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
    ]
    egress += [
        {"to": [_pods(each.name)], "ports": [_tcp(each.grpc)]}
        for each in called
        if each.grpc is not None
    ]
    ports = {port for url in _urls(container, containers) if (port := _port(url))}
    egress += [{"ports": [_tcp(port)]} for port in sorted(ports)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(container.name),
        "spec": {
            "podSelector": {"matchLabels": labels(container.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def _urls(container: Container, containers: Containers) -> Iterator[str]:
    """Where a process goes outside of the shop: its databases, the broker, what settings name."""
    yield from container.databases.values()
    source = containers.source
    if containers.broker is not None and container.process.services:
        yield from containers.broker.split(",")
    if container.http is not None and source.http.rate_limit_store is not None:
        yield source.http.rate_limit_store
    if source.auth is not None:
        yield source.auth.jwks or source.auth.issuer
    for service in container.process.services:
        for setting in source.settings.get(service, {}).values():
            if isinstance(setting.value, str) and "://" in setting.value:
                yield setting.value


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _calls(
    caller: Container, callee: Container, containers: Containers, services: Sequence[Service]
) -> bool:
    """Whether contracts let one process call another."""
    if caller is callee or callee.grpc is None:
        return False
    answered = set(callee.process.services)
    if AUTHENTICATION.owner in answered and containers.source.auth is None:
        # Each process verifies tokens, and has the keys from there.
        return True
    if caller.http is not None and any(
        service.http for service in services if service.name in answered
    ):
        return True
    needed: dict[str, ServiceDescriptor] = {
        need.name: need
        for service in services
        for need in service.needs
        if isinstance(need, ServiceDescriptor) and need.owner in answered
    }
    allowed = {
        name
        for need in needed.values()
        for method in need.methods
        for name in method.access.callers
    }
    return not allowed.isdisjoint(caller.process.services)


def _pods(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": labels(name)}}


def _tcp(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}
