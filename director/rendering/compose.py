"""A Compose file: every process of a topology in a container of its own, on one machine.

What must not stand in a file (URLs with passwords) is taken from the environment of who starts it,
or from a file `.env` beside it; what one process alone needs to know, from a file of its own,
`PROCESS.env`, if there is one. Keys are files of the machine, and each process sees its own.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from director.rendering.container_topology import DATA
from director.rendering.containers import (
    ADMIN_VARIABLE,
    BROKER_VARIABLE,
    CERTIFICATES,
    DATABASE_VARIABLE,
    GRACE,
    HTTP_CERTIFICATE,
    ISSUER_KEYS,
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

CERTIFICATES_FOLDER: Final = "${SHOP_CERTIFICATES:?the folder of the certificates}"
HTTP_FOLDER: Final = "${SHOP_HTTP_CERTIFICATE:?the folder of tls.crt and tls.key}"


_TOPOLOGY: Final = {"source": "topology", "target": TOPOLOGY_FILE}


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
        # Compose puts variables where a dollar stands alone.
        "configs": {"topology": {"content": containers.topology.replace("$", "$$")}},
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
        "configs": [_TOPOLOGY],
        "env_file": [{"path": f"{container.name}.env", "required": False}],
        "restart": "unless-stopped",
        "stop_grace_period": f"{GRACE}s",
    }
    if environment := _environment(container, containers):
        service["environment"] = environment
    if container.http is not None:
        service["ports"] = [f"127.0.0.1:{container.http}:{container.http}"]
        service["healthcheck"] = _http_check(container.http, containers)
    mounts = [*_mounts(container, containers)]
    if container.embedded:
        data = f"{container.name}-data"
        mounts.append({"type": "volume", "source": data, "target": DATA})
    if mounts:
        service["volumes"] = mounts
    if waits:
        service["depends_on"] = waits
    return service


def _environment(container: Container, containers: Containers) -> dict[str, str]:
    """What is secret, by reference."""
    found = {}
    if container.databases:
        found[DATABASE_VARIABLE] = _databases(container.databases)
    if containers.has_secret_broker:
        found[BROKER_VARIABLE] = f"${{{BROKER_VARIABLE}:?the URL of the broker}}"
    return found


def _mounts(container: Container, containers: Containers) -> Iterator[dict[str, Any]]:
    """Files of the machine that the process reads, and no other process's keys."""
    source, name = containers.source, container.process.name
    if source.tls is not None:
        for file in ("ca.pem", f"{name}.pem", f"{name}.key"):
            yield _file(f"{CERTIFICATES_FOLDER}/{file}", f"{CERTIFICATES}/{file}")
    if source.http.certificate is not None and container.http is not None:
        for file in ("tls.crt", "tls.key"):
            yield _file(f"{HTTP_FOLDER}/{file}", f"{HTTP_CERTIFICATE}/{file}")
    if containers.has_keys_file and source.auth is not None:
        yield _file(str(Path(source.auth.jwks).absolute()), ISSUER_KEYS)


def _file(source: str, target: str) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _http_check(port: int, containers: Containers) -> dict[str, Any]:
    """Asks whether the process runs, by the Python that is in its image."""
    is_tls = containers.source.http.certificate is not None
    url = f"{'https' if is_tls else 'http'}://127.0.0.1:{port}/healthz"
    # The certificate is for the name that browsers use.
    context = ", context=ssl._create_unverified_context()" if is_tls else ""
    ask = f"import ssl, urllib.request; urllib.request.urlopen('{url}', timeout=2{context})"
    return {
        "test": ["CMD", "python3", "-c", ask],
        "interval": "5s",
        "timeout": "3s",
        "retries": 3,
        "start_period": "30s",
    }


def _migrate(containers: Containers) -> dict[str, Any]:
    """What brings all schemas to this version, and then ends."""
    job = {
        **_confined("shop-monolith"),
        "command": ["migrate", "--topology", TOPOLOGY_FILE],
        "configs": [_TOPOLOGY],
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
