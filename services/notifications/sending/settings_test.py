from __future__ import annotations

from email.headerregistry import Address
from pathlib import Path

import pytest

from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from services.notifications.sending.server import ServerLocation
from services.notifications.sending.settings import PASSWORD_VARIABLE, server_location


def given(**values: str) -> ServiceSettings:
    settings = {name: Setting(value, "shop.toml:1") for name, value in values.items()}
    return ServiceSettings("notifications", settings)


def location(smtp: str, **more: str) -> ServerLocation:
    found = server_location(given(smtp=smtp, sender="The shop <shop@example.com>", **more))
    assert found is not None
    return found


def test_without_a_url_there_is_no_server() -> None:
    assert server_location(given()) is None
    assert server_location(given(sender="whatever")) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, False, "", "")),
        ("smtps://mail.example.com", ("mail.example.com", 465, True, "", "")),
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, False, "", "")),
        ("smtp://[::1]:25/", ("::1", 25, False, "", "")),
        ("smtps://ann%40x:p%3Aw%2F@h:1", ("h", 1, True, "ann@x", "p:w/")),
    ],
)
def test_a_url_says_where_the_server_is_and_who_logs_in(
    url: str, expected: tuple[str, int, bool, str, str]
) -> None:
    found = location(url)
    where = (found.host, found.port, found.implicit_tls)
    assert (*where, found.username, found.password) == expected
    assert found.sender == Address("The shop", "shop", "example.com")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://h:0x1",
        "smtp://h:99999",
        "smtp://h/path",
        "smtp://h?x=1",
        "smtp://h#x",
        "smtp://h\n",
        "smtp://a:b%0D%0A@h",
        "smtp://[::1",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"shop.toml:1: notifications.smtp: expected smtp://"):
        location(url)


@pytest.mark.parametrize("sender", ["", "shop", "a@b, c@d", "Shop\n <a@b>", "@", "<>", "ü@b"])
def test_a_server_needs_a_sender(sender: str) -> None:
    with pytest.raises(SettingsError, match=r"notifications\.sender: expected whose address"):
        server_location(given(smtp="smtp://h", sender=sender))


def test_a_password_may_be_in_a_file_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert location("smtp://ann@h", password_file=str(file)).password == "secret"
    monkeypatch.setenv(PASSWORD_VARIABLE, "hidden")
    assert location("smtp://ann@h").password == "hidden"
    # The URL comes first.
    assert location("smtp://ann:open@h").password == "open"


def test_a_user_without_a_password_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(
        SettingsError, match=f"no password; set password_file or {PASSWORD_VARIABLE}"
    ):
        location("smtp://ann@h")
    with pytest.raises(SettingsError, match="password_file: cannot be read"):
        location("smtp://ann@h", password_file=str(tmp_path / "none"))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingsError, match="password_file: expected a file with one line"):
        location("smtp://ann@h", password_file=str(tmp_path / "empty"))


def test_certificates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ca_file: there is no file"):
        location("smtp://h", ca_file=str(tmp_path / "none"))
