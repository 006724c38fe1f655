from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.process.topology import Address, Topology, TopologyError, read_topology, single_process

SPLIT = """\
data = "somewhere"

[process.director]
http = "127.0.0.1:8080"

[process.inventory]
services = ["inventory"]
grpc = "127.0.0.1:7101"

[process.cart]
services = ["cart"]
grpc = "[::1]:7102"

[database]
cart = "postgresql://shop@localhost/shop"
"""


def read(tmp_path: Path, text: str, *, complete: bool = True) -> Topology:
    file = tmp_path / "topology.toml"
    file.write_text(text)
    return read_topology(file, known=["inventory", "cart"], complete=complete)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(TopologyError) as raised:
        read(tmp_path, text)
    message = str(raised.value)
    prefix = f"{tmp_path}/topology.toml:"
    assert message.startswith(prefix)
    return message.removeprefix(prefix)


def test_a_topology_says_where_each_service_lives_and_listens(tmp_path: Path) -> None:
    topology = read(tmp_path, SPLIT)
    inventory, cart = topology.home("inventory"), topology.home("cart")
    assert inventory is not None
    assert cart is not None
    assert (inventory.name, inventory.grpc) == ("inventory", Address("127.0.0.1", 7101))
    assert (cart.name, cart.grpc) == ("cart", Address("::1", 7102))
    assert topology.processes["director"].http == Address("127.0.0.1", 8080)
    assert topology.databases == {"cart": "postgresql://shop@localhost/shop"}
    assert topology.data == Path("somewhere")
    assert topology.home("nobody") is None


def test_without_a_file_every_service_is_in_one_process_on_the_default_port() -> None:
    topology = single_process(["inventory", "cart"])
    assert [process.name for process in topology.processes.values()] == ["monolith"]
    assert str(topology.processes["monolith"].http) == "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ('["cart"]', '["cart", "chart"]', "11: unknown service 'chart'; expected one of cart, in"),
        ('["cart"]', "[]", "3: service 'cart' is in no process; add it to one"),
        ('["cart"]', '["cart", "inventory"]', "11: service 'inventory' is in process 'inventory'"),
        ('["cart"]', '"cart"', "11: services: expected an array of service names"),
        ("[::1]:7102", "127.0.0.1:7101", "12: grpc: 127.0.0.1:7101 is taken by grpc of process"),
        ("127.0.0.1:7101", "127.0.0.1:8080", "8: grpc: 127.0.0.1:8080 is taken by http of proc"),
        ("127.0.0.1:7101", "127.0.0.1:0", "8: grpc: other processes need a port that is not 0"),
        ("127.0.0.1:7101", "localhost", "8: grpc: 'localhost' is not an address; expected HOST"),
        ("127.0.0.1:7101", "localhost:99999", "8: grpc: 'localhost:99999' is not an address"),
        ("grpc =", "gprc =", "8: unknown setting 'gprc'; expected services, http, grpc"),
        ('grpc = "127.0.0.1:7101"', "", "7: process 'inventory' hosts services and needs an addr"),
        ('http = "127.0.0.1:8080"', "", "3: process 'director' listens nowhere: give it http or"),
        ('"127.0.0.1:8080"', "8080", "4: http: expected a string"),
        ("[database]", "[databases]", "14: unknown setting 'databases'; expected data, process"),
        ("cart = ", "chart = ", "15: unknown service 'chart'; expected one of cart, inventory"),
        ("postgresql:", "mysql:", "15: cart: 'mysql' is not a supported database; expected sql"),
        ('data = "somewhere"', "data = 3", "1: data: expected a string"),
    ],
)
def test_a_topology_that_cannot_be_is_refused_with_file_line_and_reason(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    text = SPLIT.replace(was, becomes)
    assert text != SPLIT
    assert refusal(tmp_path, text)[: len(expected)] == expected


def test_a_file_without_processes_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "").startswith("1: no process; expected at least one table [process")


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[process.one]\nhttp = \n")
    assert "not valid TOML" in message
    assert "line 2" in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="cannot read the topology"):
        read_topology(tmp_path / "none.toml", known=[], complete=True)


def test_an_artifact_of_one_service_ignores_services_that_it_does_not_know(tmp_path: Path) -> None:
    text = SPLIT.replace('["cart"]', '["cart", "payments"]')
    assert read(tmp_path, text, complete=False).home("payments") is not None


@given(host=st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True), port=st.integers(0, 65535))
def test_an_address_reads_back_as_it_is_written(host: str, port: int) -> None:
    address = Address(host, port)
    assert Address.parse(str(address)) == address


@given(st.text())
def test_any_other_text_is_refused_or_reads_back(text: str) -> None:
    with suppress(ValueError):
        address = Address.parse(text)
        assert Address.parse(str(address)) == address
