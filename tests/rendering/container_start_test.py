"""Processes start by the topology that is rendered for containers, and sell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from director.monolith import SERVICES
from director.rendering.container_topology import CERTIFICATES
from director.rendering.containers import Containers, in_containers
from seam.runtime.topology_file import read_topology
from tests.rendering.envoy import environment
from tests.system.processes import free_port
from tests.system.topologies import SOURCES, Launch, Shop, broker_command

NAMES = [service.name for service in SERVICES]
OTHERS = ", ".join(f'"{name}"' for name in NAMES if name != "inventory")
WRITTEN = f"""
[process.director]
http = "127.0.0.1:8080"

[process.the_inventory]
services = ["inventory"]
grpc = "127.0.0.1:7101"

[process.others]
services = [{OTHERS}]
grpc = "127.0.0.1:7102"

[events]
broker = "nats://127.0.0.1:4222"

[limits.inventory]
concurrent = 64
"""
TLS = """
[tls]
ca = "certificates/ca.pem"
certificate = "certificates/{process}.pem"
key = "certificates/{process}.key"
"""


@pytest.mark.parametrize("tls", ["", TLS], ids=["trusted network", "mutual TLS"])
def test_processes_start_by_the_topology_of_containers(tmp_path: Path, tls: str) -> None:
    written = tmp_path / "written.toml"
    written.write_text(WRITTEN + tls)
    containers = in_containers(read_topology(written, known=NAMES, whole_system=True), SERVICES)
    topology, broker = tmp_path / "topology.toml", free_port()
    topology.write_text(_on_this_machine(containers, tmp_path, broker))
    program = [*SOURCES, "--topology", str(topology)]
    if tls:
        made = [*SOURCES, "certificates", str(tmp_path / "certificates")]
        command = [*made, "--topology", str(topology)]
        subprocess.run(command, check=True, timeout=60, env=environment())
    names = [container.process.name for container in reversed(containers.processes)]
    shop = Shop(
        [
            Launch("broker", broker_command(broker, tmp_path), listens=0),
            *(Launch(name, [*program, "--process", name], listens=1) for name in names),
        ],
        tmp_path,
    )
    try:
        assert shop.http.get("/v1/inventory?pageSize=1").json()["items"] != []
        cart = shop.http.post("/v1/carts", json={}).json()["cartId"]
        line = f"/v1/carts/{cart}/items/KIT-BRD-0008"
        assert shop.http.put(line, json={"quantity": 1}).status_code == 200
    finally:
        shop.close()


def _on_this_machine(containers: Containers, directory: Path, broker: int) -> str:
    """The topology with the addresses and folders of containers in the place of their own."""
    text = containers.topology
    for container in containers.processes:
        port = free_port()
        text = text.replace(f"dns:///{container.name}:{container.grpc}", f"127.0.0.1:{port}")
        text = text.replace(f"0.0.0.0:{container.grpc or container.http}", f"127.0.0.1:{port}")
    text = text.replace("nats://nats:4222", f"nats://127.0.0.1:{broker}")
    text = text.replace('data = "/data"', f'data = "{directory}/data"')
    return text.replace(CERTIFICATES, str(directory / "certificates"))
