"""The table `[http]` of a topology: what it means, and where a mistake in it is."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seam.http.rate import Rate
from seam.http.settings import DEFAULT_HTTP_SETTINGS, HttpSettings
from seam.runtime.topology import TopologyError
from seam.runtime.topology_file import read_topology

PROCESS = '[process.all]\nservices = ["one"]\nhttp = "127.0.0.1:8080"\n\n'


def read(directory: Path, table: str) -> HttpSettings:
    file = directory / "topology.toml"
    file.write_text(f"{PROCESS}{table}")
    return read_topology(file, known=["one"], whole_system=True).http


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    table = """
        [http]
        allowed_origins = ["https://shop.example", "http://localhost:5173", "https://[::1]:8443"]
        allow_credentials = true
        rate_limit_by_address = "1200/minute"
        rate_limit_by_principal = "10/second"
        rate_limit_store = "postgresql://gateway:secret@db/shop?sslmode=require"
        trusted_proxies = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]
        certificate = "/etc/shop/tls.crt"
        key = "/etc/shop/tls.key"
        hsts_seconds = 0
    """
    assert read(tmp_path, table) == HttpSettings(
        allowed_origins=("https://shop.example", "http://localhost:5173", "https://[::1]:8443"),
        allow_credentials=True,
        trusted_proxies=(
            ip_network("10.0.0.0/8"),
            ip_network("2001:db8::/32"),
            ip_network("192.0.2.1/32"),
        ),
        rate_limit_by_address=Rate(1_200, 60),
        rate_limit_by_principal=Rate(10, 1),
        rate_limit_store="postgresql://gateway:secret@db/shop?sslmode=require",
        certificate=Path("/etc/shop/tls.crt"),
        key=Path("/etc/shop/tls.key"),
        hsts_seconds=0,
    )


def test_without_the_table_everything_is_as_by_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == read(tmp_path, "[http]\n") == DEFAULT_HTTP_SETTINGS


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("origins = []", "unknown setting 'origins'; expected allowed_origins, "),
        ('allowed_origins = "https://a"', "allowed_origins: expected an array, got a string"),
        ('allowed_origins = ["https://a/"]', "allowed_origins: expected origins as browsers send"),
        ('allowed_origins = ["https://a:443"]', "allowed_origins: expected origins as browsers"),
        ('allowed_origins = ["https://A.example"]', "allowed_origins: expected origins as"),
        ('allowed_origins = ["null"]', "allowed_origins: expected origins as browsers send"),
        ('allowed_origins = ["https://*.a"]', "allowed_origins: expected origins as browsers"),
        ('allowed_origins = ["https://a\\r\\nx"]', "allowed_origins: expected origins as"),
        ('rate_limit_by_address = "600"', "rate_limit_by_address: expected NUMBER/second, "),
        ('rate_limit_by_address = "0/day"', "rate_limit_by_address: expected NUMBER/second, "),
        ('rate_limit_by_principal = "1/week"', "rate_limit_by_principal: expected NUMBER/second"),
        ('rate_limit_by_principal = "1e3/day"', "rate_limit_by_principal: expected NUMBER/sec"),
        (
            "rate_limit_by_principal = 600",
            "rate_limit_by_principal: expected a string, got a",
        ),
        (
            'rate_limit_store = "postgresql://u:secret@db/shop"',
            "rate_limit_store: expected a rate limit that is counted there",
        ),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies: expected addresses or networks"),
        ('trusted_proxies = ["proxy"]', "trusted_proxies: expected addresses or networks"),
        ('certificate = "/a"', "certificate: expected a key as well; TLS needs both"),
        ('key = "/a"', "key: expected a certificate as well; TLS needs both"),
        ("hsts_seconds = -1", "hsts_seconds: expected a whole number >= 0"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, setting: str, expected: str) -> None:
    with pytest.raises(TopologyError) as raised:
        read(tmp_path, f"[http]\n{setting}\n")
    text = str(raised.value)
    assert text.startswith(f"{tmp_path}/topology.toml:6: {expected}"), text
    assert "secret" not in text


@pytest.mark.parametrize("url", ["sqlite:///a.db", "redis://a", "", "mysql://u:secret@db/shop"])
def test_a_store_that_is_none_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(TopologyError, match="rate_limit_store: expected postgresql://") as raised:
        read(tmp_path, f'[http]\nrate_limit_by_address = "1/day"\nrate_limit_store = "{url}"\n')
    assert "secret" not in str(raised.value)
    assert ":7: " in str(raised.value)


def test_the_element_of_a_list_that_is_wrong_is_found(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as raised:
        read(tmp_path, '[http]\nallowed_origins = [\n  "https://a",\n  "https://b/",\n]\n')
    assert f"{tmp_path}/topology.toml:8: allowed_origins" in str(raised.value)


def test_credentials_are_not_given_to_any_site(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="allow_credentials: expected exact origins"):
        read(tmp_path, '[http]\nallowed_origins = ["*"]\nallow_credentials = true\n')


@settings(suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(HttpSettings.__slots__), value=st.text(max_size=50))
def test_no_text_makes_the_reader_fail(tmp_path: Path, name: str, value: str) -> None:
    text = "".join(f"\\U{ord(each):08X}" for each in value if not "\ud800" <= each <= "\udfff")
    for table in (f'{name} = "{text}"', f'{name} = ["{text}"]'):
        try:
            read(tmp_path, f"[http]\n{table}\n")
        except TopologyError as error:
            assert str(error).startswith(f"{tmp_path}/topology.toml:6: "), str(error)  # noqa: PT017
