"""Which SMTP server takes our mails, by what was set for the service."""

from __future__ import annotations

import os
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from seam.runtime.service_settings import ServiceSettings
from services.notifications.sending.message import address_of
from services.notifications.sending.server import ServerLocation

PASSWORD_VARIABLE: Final = "SEAM_NOTIFICATIONS_SMTP_PASSWORD"  # noqa: S105 (its name)
"""Environment variable of the password, unless a file or the URL has it."""

_EXPECTED: Final = (
    "expected smtp://HOST or smtps://HOST, with USER:PASSWORD@ before it and :PORT behind it where "
    "they are needed"
)
_PORTS: Final = {"smtp": 587, "smtps": 465}


class NotificationsSettings(msgspec.Struct, frozen=True):
    """What the notifications know of their surroundings.

    Attributes:
        smtp: URL of the server that takes mails. Without it, mails are written down and not sent.
        sender: whose address mails come from, such as `The shop <shop@example.com>`.
        password_file: file that holds the password of the URL's user, if the URL does not.
        ca_file: certificates in PEM that are trusted besides those of the system.
    """

    smtp: str = ""
    sender: str = ""
    password_file: str = ""
    ca_file: str = ""


def server_location(given: ServiceSettings) -> ServerLocation | None:
    """The server that the settings name; None when they name none.

    Raises:
        SettingsError: a setting cannot be used.
    """
    settings = given.read(NotificationsSettings)
    if not settings.smtp:
        return None
    try:
        parts = urlsplit(settings.smtp)
        port = parts.port or _PORTS[parts.scheme]
        host, username = parts.hostname or "", unquote(parts.username or "")
        password = unquote(parts.password or "")
    except (ValueError, KeyError):
        raise given.error("smtp", _EXPECTED) from None
    rest = (parts.path.strip("/"), parts.query, parts.fragment)
    if not host or any(rest) or not (settings.smtp + username + password).isprintable():
        raise given.error("smtp", _EXPECTED)
    if username and not password:
        password = _password(settings, given)
    if settings.ca_file and not Path(settings.ca_file).is_file():
        raise given.error("ca_file", f"there is no file {settings.ca_file}")
    return ServerLocation(
        host=host,
        port=port,
        implicit_tls=parts.scheme == "smtps",
        username=username,
        password=password,
        ca_file=settings.ca_file,
        sender=_sender(settings.sender, given),
    )


def _sender(text: str, given: ServiceSettings) -> Address:
    name, address = parseaddr(text)
    try:
        # `parseaddr` takes the first of several, and leaves the others out.
        if not text.isprintable() or (not name and address != text):
            raise ValueError(text)
        return address_of(address, name)
    except ValueError:
        raise given.error(
            "sender", "expected whose address mails come from, such as The shop <shop@example.com>"
        ) from None


def _password(settings: NotificationsSettings, given: ServiceSettings) -> str:
    if not settings.password_file:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if not password:
            raise given.error(
                "smtp", f"names a user and no password; set password_file or {PASSWORD_VARIABLE}"
            )
        return password
    try:
        password = Path(settings.password_file).read_text().strip()
    except (OSError, ValueError) as error:
        raise given.error("password_file", f"cannot be read: {error}") from None
    if not password or not password.isprintable():
        raise given.error("password_file", "expected a file with one line of printable text")
    return password
