from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from services.authentication.signing.sealing import (
    KEY_VARIABLE,
    CannotUnsealError,
    Sealing,
    sealing_of,
)

PRIVATE = Ed25519PrivateKey.generate()
RAW = PRIVATE.private_bytes_raw()
SEALED = Sealing(b"k" * 32)
KEY = base64.b64encode(b"k" * 32).decode()


def settings(**values: object) -> ServiceSettings:
    given = {name: Setting(value, "shop.toml:3") for name, value in values.items()}
    return ServiceSettings("authentication", given)


def opens(sealing: Sealing, stored: str, generation: int = 1) -> bool:
    return sealing.open(generation, stored).private_bytes_raw() == RAW


@pytest.mark.parametrize("sealing", [Sealing(None), SEALED])
def test_a_key_is_opened_as_it_was_sealed(sealing: Sealing) -> None:
    assert opens(sealing, sealing.seal(1, PRIVATE))


def test_a_sealed_key_shows_nothing_and_never_looks_the_same() -> None:
    stored = SEALED.seal(1, PRIVATE)
    assert RAW not in base64.b64decode(stored.partition(":")[2])
    assert stored != SEALED.seal(1, PRIVATE)
    assert len(stored) <= 200


def test_keys_from_before_there_was_a_key_to_seal_with_stay_readable() -> None:
    assert opens(SEALED, Sealing(None).seal(1, PRIVATE))


def test_a_sealed_key_is_opened_by_its_own_key_in_its_own_place_alone() -> None:
    stored = SEALED.seal(1, PRIVATE)
    with pytest.raises(CannotUnsealError, match="no key is given"):
        Sealing(None).open(1, stored)
    with pytest.raises(CannotUnsealError, match="by another key"):
        Sealing(b"j" * 32).open(1, stored)
    with pytest.raises(CannotUnsealError, match="by another key"):
        SEALED.open(2, stored)
    changed = stored[:-5] + ("A" if stored[-5] != "A" else "B") + stored[-4:]
    with pytest.raises(CannotUnsealError, match="by another key"):
        SEALED.open(1, changed)


def test_the_key_comes_from_a_file_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = SEALED.seal(1, PRIVATE)
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert opens(sealing_of(settings(key_encryption_key_file=str(file))), stored)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert opens(sealing_of(settings()), stored)


@pytest.mark.parametrize("content", ["", "short", "a" * 44, KEY[:-2], "ä" * 32, "\0"])
def test_what_is_no_key_is_refused_with_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"key_encryption_key_file: .*expected 32 bytes"):
        sealing_of(settings(key_encryption_key_file=str(file)))
    if "\0" not in content:
        monkeypatch.setenv(KEY_VARIABLE, content)
        with pytest.raises(SettingsError, match=f"{KEY_VARIABLE}: expected 32 bytes"):
            sealing_of(settings())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"shop.toml:3: authentication.*cannot be read"):
        sealing_of(settings(key_encryption_key_file=str(tmp_path / "none")))
