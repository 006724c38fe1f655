"""Manifests for Kubernetes: every process of a topology as a Deployment, and who may call it.

Nothing that is secret stands in them: they refer to Secrets, which whoever runs the cluster makes.
What may call what follows from the contracts: a process takes calls from processes that host a
service which its contracts name, and from what serves clients.

Source: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from director.rendering.container_topology import DATA
from director.rendering.containers import (
    ADMIN_VARIABLE,
    BROKER_VARIABLE,
    CERTIFICATES,
    DATABASE_VARIABLE,
    GRACE,
    HTTP_CERTIFICATE,
    ISSUER_KEYS,
    TOPOLOGY_FILE,
    USER,
    Container,
    Containers,
    variable_of,
)
from director.rendering.kubernetes_manifest import PART_OF, Manifest, labels, metadata
from director.rendering.kubernetes_network import network_policy, nothing_by_default
from seam.runtime import Service

DATABASES: Final = "shop-databases"
BROKER: Final = "shop-broker"
SHOP_CERTIFICATES: Final = "shop-certificates"
SHOP_HTTP_CERTIFICATE: Final = "shop-http-certificate"
"""Secrets. The last is of the type `kubernetes.io/tls`."""

SHOP_ISSUER: Final = "shop-issuer"
"""The ConfigMap with the public keys of an issuer that has them in a file."""

MOST_REPLICAS: Final = 10

Mounted: TypeAlias = tuple[Manifest, Manifest]
"""Where something is mounted, and what."""


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
            "metadata": metadata("shop-topology"),
            "data": {"topology.toml": containers.topology},
        },
        nothing_by_default(),
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
        "metadata": metadata(container.name),
        "spec": {
            "replicas": 1 if alone else 2,
            "selector": {"matchLabels": labels(container.name)},
            "strategy": {"type": "Recreate"}
            if alone
            else {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": {**PART_OF, **labels(container.name)}},
                "spec": _pod(container, containers, version),
            },
        },
    }
    yield _service(container)
    if alone:
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(f"{container.name}-data"),
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }
    else:
        yield {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(container.name),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels(container.name)}},
        }
        yield _autoscaler(container)
    yield network_policy(container, containers, services)


def _pod(container: Container, containers: Containers, version: str) -> Manifest:
    ports = [
        {"name": name, "containerPort": port}
        for name, port in (("http", container.http), ("grpc", container.grpc))
        if port is not None
    ]
    mounted = [*_MOUNTED, *_mounted(container, containers)]
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
                "env": [*_databases(container.databases), *_broker(containers)],
                # What this process alone needs to know, if anything.
                "envFrom": [
                    {"secretRef": {"name": f"{container.name}-environment", "optional": True}}
                ],
                "resources": {
                    "requests": {"cpu": "250m", "memory": "192Mi"},
                    "limits": {"memory": "512Mi"},
                },
                "securityContext": _CONFINED,
                **_probes(container, containers),
                "volumeMounts": [mount for mount, _ in mounted],
            }
        ],
        "volumes": [volume for _, volume in mounted],
    }


def _mount(name: str, path: str, volume: Manifest, *, writable: bool = False) -> Mounted:
    mount: Manifest = {"name": name, "mountPath": path}
    if not writable:
        mount["readOnly"] = True
    return mount, {"name": name, **volume}


_MOUNTED: Final = (
    _mount(
        "topology",
        TOPOLOGY_FILE.rpartition("/")[0],
        {"configMap": {"name": "shop-topology"}},
    ),
    _mount("tmp", "/tmp", {"emptyDir": {"sizeLimit": "64Mi"}}, writable=True),  # noqa: S108
)


def _mounted(container: Container, containers: Containers) -> Iterator[Mounted]:
    """What a process finds in files besides its topology, and no other process's key."""
    source, name = containers.source, container.process.name
    if source.tls is not None:
        items = [{"key": key, "path": key} for key in ("ca.pem", f"{name}.pem", f"{name}.key")]
        yield _mount("certificates", CERTIFICATES, _secret(SHOP_CERTIFICATES, items=items))
    if source.http.certificate is not None and container.http is not None:
        yield _mount("http-certificate", HTTP_CERTIFICATE, _secret(SHOP_HTTP_CERTIFICATE))
    if containers.has_keys_file:
        path = ISSUER_KEYS.rpartition("/")[0]
        yield _mount("issuer", path, {"configMap": {"name": SHOP_ISSUER}})
    if container.embedded:
        claim = {"claimName": f"{container.name}-data"}
        yield _mount("data", DATA, {"persistentVolumeClaim": claim}, writable=True)


def _secret(name: str, **more: object) -> Manifest:
    # The group that the files then have is the process's.
    return {"secret": {"secretName": name, "defaultMode": 0o440, **more}}


_CONFINED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _probes(container: Container, containers: Containers) -> Manifest:
    source = containers.source
    if container.http is not None:
        scheme = {} if source.http.certificate is None else {"scheme": "HTTPS"}
        alive: Manifest = {"httpGet": {"path": "/healthz", "port": "http", **scheme}}
        ready: Manifest = {"httpGet": {"path": "/readyz", "port": "http", **scheme}}
    elif source.tls is not None:
        # The kubelet has no certificate. Callers ask for the health of who answers by themselves.
        alive = ready = {"tcpSocket": {"port": "grpc"}}
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
    spec: Manifest = {"selector": labels(container.name), "ports": ports}
    if container.grpc is not None:
        # Callers see all replicas and spread their calls over them; what is not ready is left out.
        spec["clusterIP"] = "None"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(container.name),
        "spec": spec,
    }


def _autoscaler(container: Container) -> Manifest:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(container.name),
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


def _migration(containers: Containers, version: str) -> Manifest:
    """What brings all schemas to this version before its processes start."""
    databases = _databases(containers.databases)
    admin = {"name": ADMIN_VARIABLE, "valueFrom": _from_secret(ADMIN_VARIABLE)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata("shop-migrate"),
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
                            "volumeMounts": [mount for mount, _ in _MOUNTED],
                        }
                    ],
                    "volumes": [volume for _, volume in _MOUNTED],
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


def _broker(containers: Containers) -> list[Manifest]:
    """Where the broker is, if that is a secret."""
    if not containers.has_secret_broker:
        return []
    value = {"secretKeyRef": {"name": BROKER, "key": BROKER_VARIABLE}}
    return [{"name": BROKER_VARIABLE, "valueFrom": value}]


def _from_secret(key: str) -> Manifest:
    return {"secretKeyRef": {"name": DATABASES, "key": key}}
