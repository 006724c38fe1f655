"""A Compose file: every process of a topology in a container of its own, on one machine.

What must not stand in a file (URLs of databases, which hold passwords) is taken from the
environment of who starts it, or from a file `.env` beside it.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from director.rendering.containers import (
    ADMIN_VARIABLE,
    DATA,
    DATABASE_VARIABLE,
    GRACE,
    NATS,
    NATS_IMAGE,
    POSTGRES,
    POSTGRES_IMAGE,
    TOPOLOGY_FILE,
    USER,
    Container,
    Containers,
    variable_of,
)

MIGRATE: Final = "migrate"


def compose_file(containers: Containers) -> dict[str, Any]:
    """The Compose file of a system in containers."""
    services: dict[str, Any] = {}
    if containers.postgres:
        services[POSTGRES] = _postgres()
    if containers.nats:
        services[NATS] = _nats()
    if containers.databases:
        services[MIGRATE] = _migrate(containers)
    for container in containers.processes:
        services[container.name] = _service(container, containers)
    volumes = [f"{each.name}-data" for each in containers.processes if each.embedded]
    volumes += [f"{name}-data" for name in (POSTGRES, NATS) if name in services]
    return {
        "name": "shop",
        "services": services,
        "configs": {"topology": {"content": containers.topology}},
        **({"volumes": {name: {} for name in volumes}} if volumes else {}),
    }


def _service(container: Container, containers: Containers) -> dict[str, Any]:
    waits: dict[str, Any] = {
        name: {"condition": "service_healthy"} for name in containers.needed_by(container)
    }
    if container.databases:
        waits[MIGRATE] = {"condition": "service_completed_successfully"}
    service = {
        **_confined(container.image),
        "command": ["--topology", TOPOLOGY_FILE, "--process", container.process.name],
        "configs": [{"source": "topology", "target": TOPOLOGY_FILE}],
        "restart": "unless-stopped",
        "stop_grace_period": f"{GRACE}s",
    }
    if container.databases:
        service["environment"] = {DATABASE_VARIABLE: _databases(container.databases)}
    if container.http is not None:
        service["ports"] = [f"127.0.0.1:{container.http}:{container.http}"]
        ready = f"http://127.0.0.1:{container.http}/healthz"
        ask = f"import urllib.request; urllib.request.urlopen('{ready}', timeout=2)"
        service["healthcheck"] = {
            "test": ["CMD", "python3", "-c", ask],
            "interval": "5s",
            "timeout": "3s",
            "retries": 3,
            "start_period": "30s",
        }
    if container.embedded:
        service["volumes"] = [f"{container.name}-data:{DATA}"]
    if waits:
        service["depends_on"] = waits
    return service


def _migrate(containers: Containers) -> dict[str, Any]:
    """What brings all schemas to this version, and then ends."""
    job = {
        **_confined("shop-monolith"),
        "command": ["migrate", "--topology", TOPOLOGY_FILE],
        "configs": [{"source": "topology", "target": TOPOLOGY_FILE}],
        "environment": {
            DATABASE_VARIABLE: _databases(containers.databases),
            ADMIN_VARIABLE: f"${{{ADMIN_VARIABLE}}}",
        },
    }
    if containers.postgres:
        job["depends_on"] = {POSTGRES: {"condition": "service_healthy"}}
    return job


def _databases(urls: Mapping[str, str]) -> str:
    """Where databases are, by reference: `orders=${ORDERS_DATABASE} …`."""
    return " ".join(
        f"{service}=${{{variable_of(service)}:?the URL of its database}}" for service in urls
    )


def _confined(image: str) -> dict[str, Any]:
    return {
        "image": f"{image}:${{SHOP_VERSION:-latest}}",
        "user": f"{USER}:{USER}",
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 (of the container)
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


def _postgres() -> dict[str, Any]:
    return {
        "image": POSTGRES_IMAGE,
        "environment": {
            "POSTGRES_DB": "shop",
            "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD:?the administrator's password}",
        },
        "volumes": [f"{POSTGRES}-data:/var/lib/postgresql"],
        "healthcheck": {
            "test": ["CMD-SHELL", "pg_isready -U postgres"],
            "interval": "2s",
            "timeout": "3s",
            "retries": 30,
        },
        "restart": "unless-stopped",
    }


def _nats() -> dict[str, Any]:
    return {
        "image": NATS_IMAGE,
        "command": ["-js", "-sd", DATA, "-m", "8222"],
        "volumes": [f"{NATS}-data:{DATA}"],
        "healthcheck": {
            "test": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8222/healthz"],
            "interval": "2s",
            "timeout": "3s",
            "retries": 30,
        },
        "restart": "unless-stopped",
    }
