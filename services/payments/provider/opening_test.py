from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from contract.v1.money import Money

from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from seam.testing import strict_channel
from services.payments.provider.http_provider import HttpPaymentProvider
from services.payments.provider.opening import API_KEY_VARIABLE, open_provider
from services.payments.provider.provider import Charged
from services.payments.provider.simulated_provider import SimulatedProvider
from services.payments.simulator.serving import Simulator

AMOUNT = Money(currency_code="EUR", minor_units=1)


def resources(
    directory: Path, given: Mapping[str, str] = {}, *, embedded: bool = True
) -> Resources:
    url = f"sqlite:///{directory}/data/payments.db" if embedded else "postgresql://me@there/shop"
    settings = {name: Setting(value, "split.toml:9") for name, value in given.items()}
    return Resources(
        DatabaseLocation(url, embedded),
        lambda _: strict_channel(),
        settings=ServiceSettings("payments", settings),
    )


async def refusal(of: Resources) -> str:
    with pytest.raises(SettingsError) as caught:
        async with open_provider(of):
            raise AssertionError("it was opened")
    return str(caught.value)


async def test_a_shop_that_nobody_has_configured_simulates_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_provider(resources(tmp_path)) as provider:
        assert isinstance(provider, SimulatedProvider)
        assert await provider.charge("k", AMOUNT, "") == Charged()
    (line,) = caplog.messages
    assert line == (
        f"payments are simulated: no money is taken, and {tmp_path}/data/payment_simulator.db "
        "keeps the books"
    )


async def test_a_shop_that_is_configured_gives_nothing_away_by_default(tmp_path: Path) -> None:
    assert await refusal(resources(tmp_path, embedded=False)) == (
        "payments.provider: is not set, and the database of payments is configured; "
        "expected https://HOST of a payment provider, or simulator:PATH to take no money"
    )


async def test_a_simulated_provider_can_be_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "books" / "ledger.db"
    asked = resources(tmp_path, {"provider": f"simulator:{file}"}, embedded=False)
    async with open_provider(asked) as provider:
        assert isinstance(provider, SimulatedProvider)
    assert file.exists()


@pytest.mark.parametrize("by_file", [True, False])
async def test_a_provider_over_http_gets_its_key_from_a_file_or_from_the_environment(
    tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, by_file: bool
) -> None:
    given = {"provider": simulator.url}
    if by_file:
        monkeypatch.setenv(API_KEY_VARIABLE, "not-the-key")
        file = tmp_path / "key"
        file.write_text("the-key\n")
        given["api_key_file"] = str(file)
    else:
        monkeypatch.setenv(API_KEY_VARIABLE, "the-key")
    async with open_provider(resources(tmp_path, given)) as provider:
        assert isinstance(provider, HttpPaymentProvider)
        assert await provider.charge("k", AMOUNT, "") == Charged()


@pytest.mark.parametrize(
    "url",
    ["pay.example", "ftp://pay", "https://", "https://me:secret@pay", "https://pay?a", "http://[",
     "https://pay/#a", "http://pay:x", "https://pa y", "https://päy", "simulator:"],
)  # fmt: skip
async def test_what_is_no_provider_is_refused_with_its_place_and_without_its_value(
    tmp_path: Path, url: str
) -> None:
    text = await refusal(resources(tmp_path, {"provider": url}))
    assert text.startswith("split.toml:9: payments.provider: ")
    assert "expected https://HOST of a payment provider" in text
    assert "secret" not in text


async def test_a_key_that_cannot_be_used_is_refused_without_telling_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"provider": "https://pay.example", "api_key_file": str(tmp_path / "key")}
    assert "api_key_file: cannot be read" in await refusal(resources(tmp_path, given))
    for content in (b"", b"a b", b"\xff"):
        (tmp_path / "key").write_bytes(content)
        text = await refusal(resources(tmp_path, given))
        assert text.startswith("split.toml:9: payments.api_key_file: ")
    monkeypatch.setenv(API_KEY_VARIABLE, "a\nsecret")
    text = await refusal(resources(tmp_path, {"provider": "https://pay.example"}))
    assert text == f"payments.api_key_file: {API_KEY_VARIABLE} holds no visible ASCII text"


async def test_books_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is not a database, and it never was" * 100)
    text = await refusal(resources(tmp_path, {"provider": f"simulator:{tmp_path}/ledger.db"}))
    assert f"payments.provider: cannot open {tmp_path}/ledger.db: file is not a database" in text
