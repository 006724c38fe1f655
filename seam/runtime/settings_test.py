from __future__ import annotations

from pathlib import Path

import pytest

from seam.persistence.database import database_url
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Artifact, Settings, check_databases, database_location
from seam.runtime.topology import TopologyError

TOPOLOGY = """\
data = "from-file"
[process.all]
services = ["inventory", "cart"]
http = "127.0.0.1:0"
[database]
cart = "postgresql://from-file/shop"
"""


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    file = tmp_path / "topology.toml"
    file.write_text(TOPOLOGY)
    return file


def test_by_default_a_service_has_an_embedded_database_of_its_own() -> None:
    location = database_location(Settings(), "inventory")
    assert location.embedded
    assert location.url == f"sqlite:///{Path('.data/inventory').absolute()}.db"


def test_the_topology_says_where_data_is(topology: Path) -> None:
    settings = Settings(topology=topology)
    assert database_location(settings, "cart").url == "postgresql://from-file/shop"
    assert database_location(settings, "inventory").url.endswith("/from-file/inventory.db")


def test_a_flag_comes_before_the_topology(topology: Path, tmp_path: Path) -> None:
    settings = Settings(
        topology=topology, data=tmp_path / "flag", database=("cart=sqlite:///flag.db",)
    )
    assert database_location(settings, "cart").url == "sqlite:///flag.db"
    assert not database_location(settings, "cart").embedded
    assert database_location(settings, "inventory").url == f"sqlite:///{tmp_path}/flag/inventory.db"


def test_the_topology_sizes_the_pool_of_a_database_wherever_that_is_named(topology: Path) -> None:
    topology.write_text(f"{TOPOLOGY}\n[pool.cart]\nconnections = 4\n")
    for flags in ((), ("cart=postgresql://flag/shop",)):
        settings = Settings(topology=topology, database=flags)
        assert database_location(settings, "cart").pool.connections == 4


def test_one_url_may_be_for_all_services_that_are_not_named(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    shared = 'default = "postgresql://{service}@host/shop"\n'
    file.write_text(TOPOLOGY.replace("[database]\n", f"[database]\n{shared}"))
    settings = Settings(topology=file)
    assert database_location(settings, "inventory").url == "postgresql://inventory@host/shop"
    assert not database_location(settings, "inventory").embedded
    assert database_location(settings, "cart").url == "postgresql://from-file/shop"
    flags = ("default=sqlite:///{service}.db",)
    settings = Settings(topology=file, database=flags)
    assert database_location(settings, "cart").url == "sqlite:///cart.db"
    check_databases(settings, ["inventory", "cart"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default=sqlite:///x", "--database 'default=sqlite:///x': expected {service} in it"),
        ("default=redis://{service}", "'redis' is not a supported database"),
        ("cart", "--database 'cart': expected SERVICE=URL"),
        ("chart=sqlite:///x", "unknown service 'chart'; expected inventory, cart"),
        ("cart=redis://x", "'redis' is not a supported database"),
        ("cart=x", "'x' is not a database URL"),
    ],
)
def test_a_database_flag_that_cannot_be_used_is_refused(text: str, expected: str) -> None:
    settings = Settings(database=(text,))
    with pytest.raises(SettingsError) as raised:
        check_databases(settings, ["inventory", "cart"])
    assert expected in str(raised.value)


def test_a_service_s_own_command_refuses_a_database_that_cannot_be_used() -> None:
    with pytest.raises(SettingsError, match="'mysql' is not a supported database"):
        database_location(Settings(database=("cart=mysql://x",)), "cart")


def test_a_broken_topology_is_refused_by_every_command(tmp_path: Path) -> None:
    with pytest.raises(TopologyError):
        database_location(Settings(topology=tmp_path / "none.toml"), "cart")


@pytest.mark.parametrize("name", ["a%20b", "what?", "a#b", "ü ber"])
def test_a_data_directory_may_have_any_name(tmp_path: Path, name: str) -> None:
    location = database_location(Settings(data=tmp_path / name), "inventory")
    assert database_url(location.url).database == str(tmp_path / name / "inventory.db")


def test_the_broker_is_where_the_environment_says_and_not_the_file(topology: Path) -> None:
    artifact = Artifact("shop", (), whole_system=False)
    given = "nats://shop:secret@elsewhere:4222"
    assert artifact.topology(Settings(topology=topology, broker=given)).broker == given
    assert artifact.topology(Settings(topology=topology)).broker != given
    with pytest.raises(SettingsError, match="--broker"):
        artifact.topology(Settings(topology=topology, broker="http://elsewhere"))
