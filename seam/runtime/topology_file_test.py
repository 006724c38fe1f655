from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seam.bus import Limits
from seam.bus.grpc.connection import target_of
from seam.persistence import DEFAULT_POOL, PoolLimits
from seam.runtime.topology import (
    Address,
    IssuerSettings,
    TlsFiles,
    Topology,
    TopologyError,
    single_process,
)
from seam.runtime.topology_file import read_topology

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


def read(tmp_path: Path, text: str, *, whole_system: bool = True) -> Topology:
    file = tmp_path / "topology.toml"
    file.write_text(text)
    return read_topology(file, known=["inventory", "cart"], whole_system=whole_system)


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


TLS = '[tls]\nca = "ca.pem"\ncertificate = "{process}.pem"\nkey = "{process}.key"\n'
AUTH = '[auth]\nissuer = "https://id.example"\naudience = "shop"\n'


def auth(**changed: str) -> str:
    """A table `[auth]` and what stands behind it."""
    values = {"issuer": "https://id.example", "audience": "shop", **changed}
    lines = [f'{name} = "{value}"' for name, value in values.items()]
    return "\n".join(["[auth]", *lines, "[database]"])


def test_a_file_says_who_proves_what(tmp_path: Path) -> None:
    text = SPLIT.replace("[database]", TLS + auth(roles="realm_access.roles", jwks="keys.json"))
    topology = read(tmp_path, "trusted_network = true\n" + text)
    assert topology.tls is not None
    assert topology.tls.of("cart") == TlsFiles("ca.pem", "cart.pem", "cart.key")
    assert topology.trusted_network
    assert topology.auth == IssuerSettings(
        "https://id.example", "shop", "keys.json", ("realm_access", "roles")
    )
    plain = read(tmp_path, SPLIT)
    assert (plain.tls, plain.trusted_network, plain.auth) == (None, False, None)
    here = SPLIT.replace("[database]", auth(issuer="http://127.0.0.1:1/a"))
    assert read(tmp_path, here).auth == IssuerSettings("http://127.0.0.1:1/a", "shop")


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ('["cart"]', '["cart", "chart"]', "11: unknown service 'chart'; expected one of cart, in"),
        ('["cart"]', "[]", "3: service 'cart' is in no process; add it to one"),
        ('["cart"]', '["cart", "inventory"]', "11: service 'inventory' is in process 'inventory'"),
        ('["cart"]', '"cart"', "11: services: expected an array, got a string"),
        ("[::1]:7102", "127.0.0.1:7101", "12: grpc: 127.0.0.1:7101 is taken by grpc of process"),
        ("127.0.0.1:7101", "127.0.0.1:8080", "8: grpc: 127.0.0.1:8080 is taken by http of proc"),
        ("127.0.0.1:7101", "127.0.0.1:0", "8: grpc: other processes need a port that is not 0"),
        ("127.0.0.1:7101", "localhost", "8: grpc: 'localhost' is not an address; expected HOST"),
        ("127.0.0.1:7101", "localhost:99999", "8: grpc: 'localhost:99999' is not an address"),
        ("grpc =", "gprc =", "8: unknown setting 'gprc'; expected services, http, grpc"),
        ('grpc = "127.0.0.1:7101"', "", "7: process 'inventory' hosts services and needs an addr"),
        ('http = "127.0.0.1:8080"', "", "3: process 'director' listens nowhere: give it http, g"),
        ('"127.0.0.1:8080"', "8080", "4: http: expected a string, got a whole number"),
        ("[database]", "[databases]", "14: unknown setting 'databases'; expected data, process"),
        ("cart = ", "chart = ", "15: unknown service 'chart'; expected one of cart, inventory"),
        ("postgresql:", "mysql:", "15: database of 'cart': 'mysql' is not a supported datab"),
        ("cart = ", "default = ", "15: database of 'default': expected {service} in it, where"),
        ("[database]", '[tls]\nca = "a"\n[database]', "14: 'tls': object missing required"),
        ("[database]", f"{TLS}a = 1\n[database]", "18: unknown setting 'a'; expected ca, certif"),
        ("[database]", TLS.replace("ca.pem", "") + "[database]", "15: ca: '' is not a file's name"),
        ("[database]", TLS.replace("ca.pem", "\\u0000") + "[database]", "15: ca: '\\x00' is not a"),
        ("[database]", "[auth]\nissuer = 'x'\n[database]", "14: 'auth': object missing required"),
        ("[database]", f"{AUTH}b = 1\n[database]", "17: unknown setting 'b'; expected issuer, aud"),
        ("[database]", auth(issuer=""), "15: issuer: expected a text that tokens name"),
        ("[database]", auth(audience=""), "16: audience: expected a text that tokens name"),
        ("[database]", auth(issuer="shop"), "15: issuer: 'shop' is no URL; expected https://HOST"),
        ("[database]", auth(issuer="http://id.example"), "15: issuer: 'http://id.example': expec"),
        (
            "[database]",
            auth(issuer="https://u@id.example"),
            "15: issuer: 'https://u@id.example' is",
        ),
        ("[database]", auth(issuer="https://id:99999"), "15: issuer: 'https://id:99999' is no URL"),
        ("[database]", auth(jwks="http://id.example/k"), "17: jwks: 'http://id.example/k': expect"),
        ("[database]", auth(roles="a..b"), "17: roles: 'a..b' is no path; expected names with do"),
        ('data = "somewhere"', 'trusted_network = "no"', "1: trusted_network: expected a boolean"),
        ('data = "somewhere"', "data = 3", "1: data: expected a string, got a whole number"),
    ],
)
def test_a_topology_that_cannot_be_is_refused_with_file_line_and_reason(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    text = SPLIT.replace(was, becomes)
    assert text != SPLIT
    assert refusal(tmp_path, text)[: len(expected)] == expected


def test_a_pool_is_as_large_as_the_topology_says_of_its_service_or_of_all(tmp_path: Path) -> None:
    assert read(tmp_path, SPLIT).pool_of("cart") == DEFAULT_POOL
    text = SPLIT + "[pool.cart]\nconnections = 4\n"
    assert read(tmp_path, text).pool_of("cart") == replace(DEFAULT_POOL, connections=4)
    assert read(tmp_path, text).pool_of("inventory") == DEFAULT_POOL
    text += "[pool.default]\nconnections = 8\nwait = 1\nstatement = 2.5\n"
    assert read(tmp_path, text).pool_of("cart") == PoolLimits(4, 1.0, 2.5)
    assert read(tmp_path, text).pool_of("inventory") == PoolLimits(8, 1.0, 2.5)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("cart]\nconnections = 1", "17: connections: expected a whole number >= 2"),
        ("cart]\nconnections = 1001", "17: connections: expected a whole number <= 1000"),
        ("cart]\nconnections = -1", "17: connections: expected a whole number >= 2"),
        ("cart]\nconnections = 4.5", "17: connections: expected a whole number, got a number"),
        ("cart]\nconnections = '4'", "17: connections: expected a whole number, got a string"),
        ("cart]\nconnections = true", "17: connections: expected a whole number, got a boolean"),
        ("cart]\nwait = 0", "17: wait: expected a number >= 0.1"),
        ("cart]\nwait = inf", "17: wait: expected a number <= 60.0"),
        ("cart]\nwait = nan", "17: wait: expected a number >= 0.1"),
        ("cart]\nstatement = 3601", "17: statement: expected a number <= 3600.0"),
        ("cart]\nsize = 4", "17: unknown setting 'size'; expected connections, wait, statement"),
        ("chart]\nconnections = 4", "16: unknown service 'chart'; expected one of cart, inv"),
        ("default]\nconnections = 0", "17: connections: expected a whole number >= 2"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(tmp_path: Path, table: str, expected: str) -> None:
    assert refusal(tmp_path, f"{SPLIT}[pool.{table}\n")[: len(expected)] == expected


def test_a_number_of_connections_of_any_length_is_refused_in_short(tmp_path: Path) -> None:
    message = refusal(tmp_path, f"{SPLIT}[pool.cart]\nconnections = {'9' * 900}\n")
    assert len(message) < 300


def test_a_process_may_answer_over_nats_instead_of_grpc(tmp_path: Path) -> None:
    topology = read(tmp_path, SPLIT.replace('grpc = "[::1]:7102"', 'nats = "nats://[::1]:4222"'))
    cart = topology.home("cart")
    assert cart is not None
    assert (cart.nats, cart.grpc, cart.addresses) == ("nats://[::1]:4222", None, ())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:4222",
        "http://127.0.0.1:4222",
        "nats://127.0.0.1",
        "nats://:4222",
        "nats://127.0.0.1:99999",
        "nats://127.0.0.1:4222/shop",
        "nats://[::1:4222",
        "nats://127.0.0.1:4222,nats://127.0.0.1:4223",
        "nats://me:secret@127.0.0.1:4222?tls=1",
        "nats://127.0.0.1:4222\\u0007",
    ],
)
def test_what_is_no_url_of_a_nats_server_is_refused_and_not_repeated(
    tmp_path: Path, url: str
) -> None:
    text = SPLIT.replace('grpc = "127.0.0.1:7101"', f'nats = "{url}"')
    message = refusal(tmp_path, text)
    assert message.startswith("8: nats: expected nats://HOST:PORT or tls://HOST:PORT")
    assert "secret" not in message


def test_a_file_without_processes_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "").startswith("1: no process; expected at least one table [process")


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[process.one]\nhttp = \n") == "2: not valid TOML: Invalid value"
    assert refusal(tmp_path, '[process.one]\nhttp = "').startswith("2: not valid TOML: Unterm")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="cannot read the topology"):
        read_topology(tmp_path / "none.toml", known=[], whole_system=True)


def test_an_artifact_of_one_service_ignores_services_that_it_does_not_know(tmp_path: Path) -> None:
    text = SPLIT.replace('["cart"]', '["cart", "payments"]')
    assert read(tmp_path, text, whole_system=False).home("payments") is not None


@given(host=st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True), port=st.integers(0, 65535))
def test_an_address_reads_back_as_it_is_written(host: str, port: int) -> None:
    address = Address(host, port)
    assert Address.parse(str(address)) == address


@given(st.text())
def test_any_other_text_is_refused_or_reads_back(text: str) -> None:
    with suppress(ValueError):
        address = Address.parse(text)
        assert Address.parse(str(address)) == address


REPLICATED = """\
[process.director]
http = "127.0.0.1:8080"

[process.inventory]
services = ["inventory"]
grpc = "0.0.0.0:7101"
advertise = [
    "10.0.0.1:7101",
    "10.0.0.2:7101",
]

[process.cart]
services = ["cart"]
grpc = "unix:/run/shop/cart"

[limits.cart]
concurrent = 2
queued = 0
"""


def test_a_topology_says_where_others_find_a_process_and_how_much_a_service_takes_on(
    tmp_path: Path,
) -> None:
    topology = read(tmp_path, REPLICATED)
    inventory, cart = topology.home("inventory"), topology.home("cart")
    assert inventory is not None
    assert cart is not None
    assert inventory.grpc == Address("0.0.0.0", 7101)
    assert inventory.addresses == ("10.0.0.1:7101", "10.0.0.2:7101")
    assert target_of(inventory.addresses) == "ipv4:10.0.0.1:7101,10.0.0.2:7101"
    assert cart.grpc == Address("unix:/run/shop/cart", 0)
    assert cart.grpc.is_unix
    assert cart.addresses == ("unix:/run/shop/cart",)
    assert topology.limits == {"cart": Limits(concurrent=2, queued=0)}
    assert topology.processes["director"].addresses == ()


LIST = '[\n    "10.0.0.1:7101",\n    "10.0.0.2:7101",\n]'


@pytest.mark.parametrize(
    ("advertise", "target"),
    [
        ('"inventory.internal:7101"', "inventory.internal:7101"),
        ('["inventory.internal:7101"]', "inventory.internal:7101"),
        ('"dns:///inventory.internal:7101"', "dns:///inventory.internal:7101"),
        ('"unix:inventory.socket"', "unix:inventory.socket"),
        ('["[fe80::1]:7101", "[fe80::2]:7101"]', "ipv6:[fe80::1]:7101,[fe80::2]:7101"),
        ("[]", "0.0.0.0:7101"),
    ],
)
def test_a_process_may_be_reached_in_several_ways(
    tmp_path: Path, advertise: str, target: str
) -> None:
    home = read(tmp_path, REPLICATED.replace(LIST, advertise)).home("inventory")
    assert home is not None
    assert target_of(home.addresses) == target


def test_a_process_that_is_reached_elsewhere_need_not_say_where_it_listens(tmp_path: Path) -> None:
    home = read(tmp_path, REPLICATED.replace('grpc = "0.0.0.0:7101"\n', "")).home("inventory")
    assert home is not None
    assert home.grpc is None
    assert len(home.addresses) == 2


def test_limits_that_are_not_set_are_the_default_ones(tmp_path: Path) -> None:
    text = REPLICATED.replace("concurrent = 2\nqueued = 0\n", "")
    assert read(tmp_path, text).limits == {"cart": Limits()}
    assert read(tmp_path, SPLIT).limits == {}


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        (LIST, "7101", "7: advertise: expected a string or an array, got a whole number"),
        (LIST, "[7101]", "7: advertise: expected a string, got a whole number"),
        (LIST, '"10.0.0.1"', "7: advertise: '10.0.0.1' is not an address; expected HOST:PORT"),
        (LIST, '"dns:///"', "7: advertise: '' is not an address"),
        (LIST, '"dns:///shop"', "7: advertise: 'shop' is not an address"),
        (LIST, '"dns:///shop:0"', "7: advertise: other processes need a port that is not 0"),
        (LIST, '"dns:///unix:shop"', "7: advertise: other processes need a port that is not 0"),
        (
            '"10.0.0.2:7101"',
            '"10.0.0.2:0"',
            "9: advertise: other processes need a port that is not 0",
        ),
        ('"10.0.0.2:7101"', '"dns:///shop:1"', "9: advertise: 'dns:///shop:1' must stand alone"),
        ('"10.0.0.2:7101"', '"unix:shop"', "9: advertise: 'unix:shop' must stand alone"),
        (
            '"10.0.0.2:7101"',
            '"shop:7101"',
            "9: advertise: 'shop:7101' cannot stand in this list; exp",
        ),
        (
            '"10.0.0.2:7101"',
            '"[::1]:7101"',
            "9: advertise: '[::1]:7101' cannot stand in this list; e",
        ),
        (
            '"10.0.0.1:7101"',
            '"shop:7101"',
            "8: advertise: 'shop:7101' cannot stand in this list; exp",
        ),
        ("unix:/run/shop/cart", "unix:", "14: grpc: 'unix:' is not an address"),
        (
            '"127.0.0.1:8080"',
            '"unix:/run/shop/cart"',
            "14: grpc: unix:/run/shop/cart is taken by h",
        ),
        ("[limits.cart]", "[limits.chart]", "16: unknown service 'chart'; expected one of cart, i"),
        ("[limits.cart]", "[limit.cart]", "16: unknown setting 'limit'; expected data, process, d"),
        ("concurrent = 2", "concurrent = 0", "17: concurrent: expected a whole number >= 1"),
        (
            "concurrent = 2",
            "concurrent = true",
            "17: concurrent: expected a whole number, got a boolean",
        ),
        (
            "concurrent = 2",
            'concurrent = "2"',
            "17: concurrent: expected a whole number, got a string",
        ),
        ("queued = 0", "queued = -1", "18: queued: expected a whole number >= 0"),
        ("queued = 0", "queued = 0.5", "18: queued: expected a whole number, got a number"),
        ("queued = 0", "queued = inf", "18: queued: expected a whole number, got a number"),
        ("queued = 0", "queued = nan", "18: queued: expected a whole number, got a number"),
        ("queued = 0", f"queued = {10**30}", "18: queued: expected a whole number <= 1000000"),
        ("unix:/run/shop/cart", f"unix:/{'a' * 107}", "14: grpc: 'unix:/aaa"),
        ("unix:/run/shop/cart", "unix:/run/\\u0000", "14: grpc: 'unix:/run/\\x00' is not an add"),
        ("unix:/run/shop/cart", "a:70000", "14: grpc: 'a:70000' is not an address; expected HOST:"),
        ("unix:/run/shop/cart", f"a:{'1' * 500}", "14: grpc: 'a:111"),
        ("unix:/run/shop/cart", "a\\nb:1", "14: grpc: 'a\\nb:1' is not an address; expected print"),
        (
            "[process.cart]",
            '[process."a\\nb"]\nhttp = 1\n[process.cart]',
            "1: http: expected a str",
        ),
        ("[process.cart]", '[process."a\\nb"]\n[process.cart]', "1: process 'a\\nb' listens nowh"),
        ("queued = 0", "queue = 0", "18: unknown setting 'queue'; expected concurrent, queued"),
    ],
)
def test_ways_and_limits_that_cannot_be_are_refused_with_file_line_and_reason(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    text = REPLICATED.replace(was, becomes)
    assert text != REPLICATED
    assert refusal(tmp_path, text)[: len(expected)] == expected


@given(path=st.from_regex(r"[a-z0-9/._:-]{1,60}", fullmatch=True))
def test_a_unix_address_reads_back_as_it_is_written(path: str) -> None:
    address = Address.parse(f"unix:{path}")
    assert address.is_unix
    assert Address.parse(str(address)) == address


MONOLITH = '[process.all]\nservices = ["cart", "inventory"]\nhttp = "127.0.0.1:1"\n'

HOSTILE = {
    "UTF-16": (MONOLITH.encode("utf-16"), ":1: not valid TOML: expected UTF-8 text"),
    "half of a character": (MONOLITH.encode() + b"\n# \xc3", ":5: not valid TOML: expected UTF-8"),
    "NUL": (MONOLITH.encode() + b"\0", ":4: not valid TOML"),
    "lone surrogate": (b'data = "\\ud800"', ":1: not valid TOML"),
    "a process twice": (MONOLITH.encode() * 2, ":4: not valid TOML: Cannot declare"),
    "nested arrays": (b"data = " + b"[\n" * 30_000, ":1: not valid TOML: nested too deeply"),
    "nested tables": (b"data = " + b"{a=" * 300, ":1: not valid TOML"),
    "number of 5,000 digits": (b"data = " + b"9" * 5_000, ":1: a line of more than 1000"),
    "key of 20,000 parts": (b"a." * 20_000 + b"a = 1", ":1: a line of more than 1000"),
    "heading of 20,000 parts": (b"[" + b"a." * 20_000 + b"a]", ":1: a line of more than 1000"),
    "inner key of 20,000 parts": (b"x = {" + b"a." * 20_000 + b"a = 1}", ":1: a line of more"),
    "quoted key of 20,000 parts": (b'"=".' + b"a." * 20_000 + b"a = 1", ":1: a line of more"),
    "10 MB": (b"#" * 10_000_000, ":1: larger than 65536 bytes"),
    "spaces": (MONOLITH.encode() + b"[" + b" " * 900, ":4: not valid TOML"),
    "spaces in a name": (b"[" + b" " * 400 + b"a" + b" " * 400 + b"]", ":1: unknown set"),
    "lines of spaces": (b'data = """\n' + (b" " * 900 + b"\n") * 60 + b'"""\na = 1', ":63: unkno"),
    "many tables": (b"".join(b"[process.a%d]\n" % i for i in range(3_000)), ":1: process 'a0' l"),
    "a date": (b"data = 1979-05-27", ":1: data: expected a string, got date"),
    "a long key": (b"a" * 900 + b" = 1", ":1: unknown setting 'aaa"),
    "no directory": (MONOLITH.encode() + b"[limits]\n[database]\n", None),
    "byte order mark": (b"\xef\xbb\xbf" + MONOLITH.encode(), None),
}


@pytest.mark.parametrize(("content", "expected"), HOSTILE.values(), ids=HOSTILE.keys())
def test_any_file_is_read_or_refused_in_one_line_and_in_no_time(
    tmp_path: Path, content: bytes, expected: str | None
) -> None:
    file = tmp_path / "topology.toml"
    file.write_bytes(content)
    begun = time.process_time()
    if expected is None:
        read_topology(file, known=["cart", "inventory"], whole_system=True)
    else:
        message = refusal_of(file)
        assert message.startswith(f"{file}{expected}"), message
        assert message.isprintable()
        assert len(message) < 1_000
    assert time.process_time() - begun < 2


def refusal_of(file: Path) -> str:
    with pytest.raises(TopologyError) as raised:
        read_topology(file, known=["cart", "inventory"], whole_system=True)
    return str(raised.value)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        assert refusal_of(path) == f"{path}: cannot read the topology: not a regular file"
    assert "cannot read the topology" in refusal_of(tmp_path / "\0")


WORDS = st.sampled_from(
    ["process", "limits", "database", "data", "services", "http", "grpc", "advertise", "cart", "a"]
)
TEXTS = st.one_of(
    WORDS, st.text(max_size=8), st.sampled_from(["127.0.0.1:1", "unix:x", "dns:///a:1"])
)
TOML = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def written(value: object) -> str:
    """A value as TOML has it."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items())
        return f"{{{pairs}}}"
    if isinstance(value, list):
        return f"[{', '.join(written(item) for item in value)}]"
    if isinstance(value, str):
        escaped = "".join(f"\\U{ord(character):08x}" for character in value)
        return f'"{escaped}"'
    return str(value).lower()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=st.dictionaries(TEXTS, TOML, max_size=4))
def test_any_document_is_read_or_refused_in_one_line(
    tmp_path: Path, document: dict[str, object]
) -> None:
    lines = [f"{written(key)} = {written(value)}" for key, value in document.items()]
    file = tmp_path / "topology.toml"
    file.write_text("\n".join(lines))
    message = refusal_of(file)
    assert re.match(rf"{re.escape(str(file))}:\d+: .", message), message
    assert message.isprintable()
