"""Starts the packaged shop, cut into processes as a partition says.

A process with several services runs the monolith's artifact, one with a single service that of the
service. The largest serves clients; where all services are apart, a director of its own does.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from director.monolith import SERVICES
from seam.testing.databases import StoppablePostgres
from tests.partitions.partitions import Partition
from tests.system.processes import free_port, from_artifact
from tests.system.topologies import Launch, Shop, broker_command

MONOLITH: Final = "director/monolith.pex"

NAMES: Final = tuple(service.name for service in SERVICES)
"""The services of the shop."""


@contextmanager
def running(partition: Partition) -> Iterator[Shop]:
    """The shop in as many processes as the partition has parts, on data of its own.

    Args:
        partition: the services of each process; those of the shop that it does not name are in its
            largest one.
    """
    # The path of a Unix socket is short.
    with tempfile.TemporaryDirectory(prefix="cut-") as name:
        directory = Path(name)
        shop = Shop(list(_launches(_whole(partition), directory)), directory)
        try:
            yield shop
        finally:
            shop.close()


@contextmanager
def with_replicas_of(service: str) -> Iterator[Shop]:
    """The shop with one service in two processes that are alike, and with PostgreSQL."""
    with (
        tempfile.TemporaryDirectory(prefix="cut-") as name,
        tempfile.TemporaryDirectory(prefix="pg-") as database,
    ):
        directory = Path(name)
        postgres = StoppablePostgres(Path(database))
        try:
            shop = Shop(list(_replicated(service, directory, postgres.url)), directory)
            try:
                yield shop
            finally:
                shop.close()
        finally:
            postgres.close()


def described(partition: Partition) -> str:
    """A partition as people read it."""
    return " | ".join(" ".join(block) for block in partition)


def _whole(partition: Partition) -> list[tuple[str, ...]]:
    """All services of the shop, those in the largest process first."""
    largest, *others = sorted(partition, key=len, reverse=True)
    named = {name for block in partition for name in block}
    return [(*largest, *(name for name in NAMES if name not in named)), *others]


def _launches(blocks: list[tuple[str, ...]], directory: Path) -> Iterator[Launch]:
    apart = all(len(block) == 1 for block in blocks)
    topology = directory / "topology.toml"
    front = 'http = "127.0.0.1:0"'
    rows = [f"[process.director]\n{front}"] if apart else []
    for number, block in enumerate(blocks):
        services = ", ".join(f'"{name}"' for name in block)
        rows += [
            f"[process.part{number}]",
            f"services = [{services}]",
            f'grpc = "unix:{directory}/{number}.sock"',
        ]
        if number == 0 and not apart:
            rows.append(front)
    if len(blocks) > 1:
        port = free_port()
        rows.append(f'[events]\nbroker = "nats://127.0.0.1:{port}"')
        yield Launch("broker", broker_command(port, directory), listens=0)
    topology.write_text("\n".join(rows))
    settings = ["--topology", str(topology), "--data", str(directory / "data"), "--process"]
    for number, block in reversed(list(enumerate(blocks))):
        alone = len(block) == 1
        artifact = f"services/{block[0]}/service.pex" if alone else MONOLITH
        command = [*from_artifact(artifact), *settings, f"part{number}"]
        serves_clients = number == 0 and not apart
        yield Launch(f"part{number}", command, 2 if serves_clients else 1, services=block)
    if apart:
        yield Launch("director", [*from_artifact(MONOLITH), *settings, "director"], listens=1)


def _replicated(service: str, directory: Path, administrator: str) -> Iterator[Launch]:
    port = free_port()
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    template = make_url(administrator).set(username="SERVICE")
    url = template.render_as_string(hide_password=False).replace("SERVICE", "{service}")
    others = ", ".join(f'"{name}"' for name in NAMES if name != service)
    topology = directory / "topology.toml"
    topology.write_text(
        f"""
        [process.shop]
        services = [{others}]
        http = "127.0.0.1:0"
        grpc = "unix:{directory}/shop.sock"

        [process.replica]
        services = ["{service}"]
        grpc = "{addresses[0]}"
        advertise = ["{addresses[0]}", "{addresses[1]}"]

        [events]
        broker = "nats://127.0.0.1:{port}"

        [database]
        default = "{url}"

        [settings.payments]
        provider = "simulator:{directory}/provider.db"
        """
    )
    settings = ["--topology", str(topology), "--data", str(directory / "data")]
    monolith = from_artifact(MONOLITH)
    for command in (["migrate"], ["inventory", "import", str(_CATALOGUE)]):
        subprocess.run(
            [*monolith, *command, *settings],
            cwd=directory,
            env={**os.environ, "SEAM_ADMIN_URL": administrator},
            check=True,
            timeout=120,
        )
    yield Launch("broker", broker_command(port, directory), listens=0)
    replica = [*from_artifact(f"services/{service}/service.pex"), *settings]
    for number, address in enumerate(addresses):
        command = [*replica, "--grpc", address]
        yield Launch(f"replica{number}", command, listens=1, services=(service,))
    yield Launch("shop", [*monolith, *settings, "--process", "shop"], listens=2)


_CATALOGUE: Final = Path("services/inventory/commands/products.csv").absolute()
