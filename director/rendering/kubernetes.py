"""Manifests for Kubernetes: every process of a topology as a Deployment, and who may call it.

Nothing that is secret stands in them: databases are named by keys of a Secret `shop-databases`,
which whoever runs the cluster makes. What may call what follows from the contracts: a process takes
calls from processes that host a service which its contracts name, and from what serves clients.

Source: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from director.rendering.containers import (
    ADMIN_VARIABLE,
    DATA,
    DATABASE_VARIABLE,
    GRACE,
    TOPOLOGY_FILE,
    USER,
    Container,
    Containers,
    variable_of,
)
from seam.contract import ServiceDescriptor
from seam.runtime import Service

Manifest: TypeAlias = dict[str, Any]

SECRET: Final = "shop-databases"  # noqa: S105 (its name)
PART_OF: Final = {"app.kubernetes.io/part-of": "shop"}
MOST_REPLICAS: Final = 10

_TOPOLOGY: Final = "topology"


def manifests(containers: Containers, services: Sequence[Service], version: str) -> list[Manifest]:
    """The manifests of a system in containers.

    Args:
        containers: the system.
        services: all services of the system.
        version: the tag of the images.
    """
    found: list[Manifest] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(f"shop-{_TOPOLOGY}"),
            "data": {"topology.toml": containers.topology},
        },
        _nothing_by_default(),
    ]
    if containers.databases:
        found.append(_migration(containers, version))
    for container in containers.processes:
        found += [*_process(container, containers, services, version)]
    return found


def _process(
    container: Container, containers: Containers, services: Sequence[Service], version: str
) -> Iterator[Manifest]:
    # What keeps its data in files cannot have a second replica beside it.
    alone = container.embedded
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(container.name),
        "spec": {
            "replicas": 1 if alone else 2,
            "selector": {"matchLabels": _labels(container.name)},
            "strategy": {"type": "Recreate"}
            if alone
            else {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": {**PART_OF, **_labels(container.name)}},
                "spec": _pod(container, version),
            },
        },
    }
    yield _service(container)
    if alone:
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(f"{container.name}-data"),
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }
    else:
        yield {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _metadata(container.name),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(container.name)}},
        }
        yield _autoscaler(container)
    yield _network_policy(container, containers, services)


def _pod(container: Container, version: str) -> Manifest:
    ports = [
        {"name": name, "containerPort": port}
        for name, port in (("http", container.http), ("grpc", container.grpc))
        if port is not None
    ]
    mounts = [{"name": _TOPOLOGY, "mountPath": TOPOLOGY_FILE.rpartition("/")[0], "readOnly": True}]
    mounts.append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108 (of the container)
    volumes: list[Manifest] = [
        {"name": _TOPOLOGY, "configMap": {"name": f"shop-{_TOPOLOGY}"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    if container.embedded:
        mounts.append({"name": "data", "mountPath": DATA})
        claim = {"claimName": f"{container.name}-data"}
        volumes.append({"name": "data", "persistentVolumeClaim": claim})
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": container.name,
                "image": f"{container.image}:{version}",
                # As long as a pod that ends still gets calls of those who have not heard it.
                "args": [
                    *("--topology", TOPOLOGY_FILE, "--process", container.process.name),
                    *("--drain", "5"),
                ],
                "ports": ports,
                "env": _databases(container.databases),
                "resources": {
                    "requests": {"cpu": "250m", "memory": "192Mi"},
                    "limits": {"memory": "512Mi"},
                },
                "securityContext": _CONFINED,
                **_probes(container),
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


_CONFINED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _probes(container: Container) -> Manifest:
    if container.http is not None:
        alive: Manifest = {"httpGet": {"path": "/healthz", "port": "http"}}
        ready: Manifest = {"httpGet": {"path": "/readyz", "port": "http"}}
    else:
        # A service whose database is away does not serve; ending it would help nobody.
        alive = {"tcpSocket": {"port": "grpc"}}
        ready = {"grpc": {"port": container.grpc}}
    return {
        "startupProbe": {**alive, "periodSeconds": 1, "failureThreshold": 60},
        "livenessProbe": {**alive, "periodSeconds": 10, "failureThreshold": 3},
        "readinessProbe": {**ready, "periodSeconds": 2, "failureThreshold": 2},
    }


def _service(container: Container) -> Manifest:
    ports = [
        {"name": name, "port": port, "targetPort": name}
        for name, port in (("http", container.http), ("grpc", container.grpc))
        if port is not None
    ]
    spec: Manifest = {"selector": _labels(container.name), "ports": ports}
    if container.grpc is not None:
        # Callers see all replicas and spread their calls over them; what is not ready is left out.
        spec["clusterIP"] = "None"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(container.name),
        "spec": spec,
    }


def _autoscaler(container: Container) -> Manifest:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(container.name),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": container.name,
            },
            "minReplicas": 2,
            "maxReplicas": MOST_REPLICAS,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 70},
                    },
                }
            ],
        },
    }


def _nothing_by_default() -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata("shop-nothing-by-default"),
        "spec": {
            "podSelector": {"matchLabels": PART_OF},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def _network_policy(
    container: Container, containers: Containers, services: Sequence[Service]
) -> Manifest:
    callers = [each for each in containers.processes if _calls(each, container, services)]
    called = [each for each in containers.processes if _calls(container, each, services)]
    ingress: list[Manifest] = []
    if container.http is not None:
        ingress.append({"ports": [{"protocol": "TCP", "port": container.http}]})
    if callers and container.grpc is not None:
        ingress.append(
            {
                "from": [_pods(each.name) for each in callers],
                "ports": [{"protocol": "TCP", "port": container.grpc}],
            }
        )
    egress: list[Manifest] = [
        {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
    ]
    egress += [
        {"to": [_pods(each.name)], "ports": [{"protocol": "TCP", "port": each.grpc}]}
        for each in called
    ]
    ports = {urlsplit(url).port or 5432 for url in container.databases.values()}
    egress += [{"ports": [{"protocol": "TCP", "port": port}]} for port in sorted(ports)]
    if containers.nats or "[events]" in containers.topology:
        egress.append({"ports": [{"protocol": "TCP", "port": 4222}]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(container.name),
        "spec": {
            "podSelector": {"matchLabels": _labels(container.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def _calls(caller: Container, callee: Container, services: Sequence[Service]) -> bool:
    """Whether contracts let one process call another."""
    if caller is callee or callee.grpc is None:
        return False
    answered = set(callee.process.services)
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


def _migration(containers: Containers, version: str) -> Manifest:
    """What brings all schemas to this version before its processes start."""
    databases = _databases(containers.databases)
    admin = {"name": ADMIN_VARIABLE, "valueFrom": _from_secret(ADMIN_VARIABLE)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata("shop-migrate"),
        "spec": {
            "backoffLimit": 6,
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": "shop-migrate"}},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": USER,
                        "runAsGroup": USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [
                        {
                            "name": "migrate",
                            "image": f"shop-monolith:{version}",
                            "args": ["migrate", "--topology", TOPOLOGY_FILE],
                            "env": [*databases, admin],
                            "securityContext": _CONFINED,
                            "volumeMounts": [
                                {
                                    "name": _TOPOLOGY,
                                    "mountPath": TOPOLOGY_FILE.rpartition("/")[0],
                                    "readOnly": True,
                                },
                                {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
                            ],
                        }
                    ],
                    "volumes": [
                        {"name": _TOPOLOGY, "configMap": {"name": f"shop-{_TOPOLOGY}"}},
                        {"name": "tmp", "emptyDir": {}},
                    ],
                },
            },
        },
    }


def _databases(urls: Mapping[str, str]) -> list[Manifest]:
    """Where databases are: a variable for each, from the Secret, and one of all together."""
    if not urls:
        return []
    each = [
        {"name": variable_of(service), "valueFrom": _from_secret(variable_of(service))}
        for service in urls
    ]
    together = " ".join(f"{service}=$({variable_of(service)})" for service in urls)
    return [*each, {"name": DATABASE_VARIABLE, "value": together}]


def _from_secret(key: str) -> Manifest:
    return {"secretKeyRef": {"name": SECRET, "key": key}}


def _pods(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": _labels(name)}}


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _metadata(name: str) -> Manifest:
    return {"name": name, "labels": {**PART_OF, **_labels(name)}}
