from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from seam.runtime.settings import Settings, service_settings
from seam.runtime.topology import Topology, TopologyError, single_process
from seam.runtime.topology_file import read_topology

SET = """\
[settings.payments]
provider = "https://file"
attempts = 3
"""
TOPOLOGY = f"""\
[process.all]
services = ["payments", "cart"]
http = "127.0.0.1:0"

{SET}"""


class PaymentsSettings(msgspec.Struct, frozen=True):
    provider: str = ""
    attempts: Annotated[int, msgspec.Meta(ge=1)] = 2
    careful: bool = False


def topology(tmp_path: Path, text: str = TOPOLOGY) -> Topology:
    file = tmp_path / "topology.toml"
    file.write_text(text)
    return read_topology(file, known=["payments", "cart"], whole_system=True)


def given(where: Topology, *flags: str) -> ServiceSettings:
    settings = Settings(setting=flags)
    return service_settings(settings, ["payments", "cart"], where)["payments"]


def test_what_was_not_set_has_the_service_s_default() -> None:
    read = ServiceSettings("payments", {}).read(PaymentsSettings)
    assert read == PaymentsSettings()


def test_a_topology_sets_what_a_service_knows(tmp_path: Path) -> None:
    read = given(topology(tmp_path)).read(PaymentsSettings)
    assert read == PaymentsSettings(provider="https://file", attempts=3)


def test_a_flag_comes_before_the_topology_and_its_text_is_read_as_what_is_expected(
    tmp_path: Path,
) -> None:
    flags = ("payments.attempts=5", "payments.careful=true", "payments.provider=https://f?a=b.c")
    read = given(topology(tmp_path), *flags).read(PaymentsSettings)
    assert read == PaymentsSettings(provider="https://f?a=b.c", attempts=5, careful=True)


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ("provider =", "povider =", ":6: payments.povider: unknown setting; expected provider, a"),
        ("= 3", '= "3"', ":7: payments.attempts: expected a whole number, got a string"),
        ("= 3", "= 0", ":7: payments.attempts: expected a whole number >= 1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_with_file_and_line(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    settings = given(topology(tmp_path, TOPOLOGY.replace(was, becomes)))
    with pytest.raises(SettingsError) as raised:
        settings.read(PaymentsSettings)
    assert str(raised.value).startswith(f"{tmp_path}/topology.toml{expected}")


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ("[settings.payments]", "[settings.payment]", ":5: unknown service 'payment'; expected"),
        (SET, "[settings]\npayments = 3", ":6: 'payments': expected a table, got a whole number"),
    ],
)
def test_a_topology_that_sets_what_cannot_be_set_is_refused(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    with pytest.raises(TopologyError) as raised:
        topology(tmp_path, TOPOLOGY.replace(was, becomes))
    assert str(raised.value).startswith(f"{tmp_path}/topology.toml{expected}")


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("payments.provider", "--setting 'payments.provider': expected SERVICE.NAME=VALUE"),
        ("provider=x", "--setting 'provider=x': expected SERVICE.NAME=VALUE"),
        ("payment.provider=x", "unknown service 'payment'; expected payments, cart"),
    ],
)
def test_a_flag_that_cannot_be_used_is_refused(flag: str, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        given(single_process(["payments", "cart"]), flag)
    assert expected in str(raised.value)


def test_a_flag_of_the_wrong_type_is_refused() -> None:
    settings = given(single_process(["payments"]), "payments.attempts=many")
    with pytest.raises(SettingsError, match=r"^--setting: payments.attempts: expected a whole num"):
        settings.read(PaymentsSettings)


def test_a_service_refuses_a_value_in_the_same_words() -> None:
    settings = ServiceSettings("payments", {"provider": Setting("x", "topology.toml:6")})
    settings.read(PaymentsSettings)
    settings.check()
    assert str(settings.error("provider", "expected a URL")) == (
        "topology.toml:6: payments.provider: expected a URL"
    )
    assert str(settings.error("attempts", "missing")) == "payments.attempts: missing"


def test_nothing_can_be_set_for_a_service_that_reads_no_settings() -> None:
    with pytest.raises(SettingsError, match="service 'cart' has no settings"):
        ServiceSettings("cart", {"provider": Setting("x", "--setting")}).check()
    ServiceSettings("cart", {}).check()
