"""Reads the table `[http]` of a topology file.

[http]
allowed_origins = ["https://shop.example"]   # whose scripts may call; nobody's by default
allow_credentials = false                    # whether they may send cookies
rate_limit_by_address = "1200/minute"        # no limit by default
rate_limit_by_principal = "600/minute"
rate_limit_store = "postgresql://…"          # where processes count together
trusted_proxies = ["10.0.0.0/8"]             # are believed what they say of their clients
certificate = "/etc/shop/tls.crt"            # with both, HTTP is served over TLS
key = "/etc/shop/tls.key"
hsts_seconds = 31536000                      # for how long browsers come over TLS only
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final

import msgspec

from seam.http.cors import ANY_ORIGIN
from seam.http.rate import Rate
from seam.http.settings import ONE_YEAR, HttpSettings, Network
from seam.persistence.database import database_url

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class HttpTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table as it is written."""

    allowed_origins: tuple[str, ...] = ()
    allow_credentials: bool = False
    trusted_proxies: tuple[str, ...] = ()
    rate_limit_by_address: str | None = None
    rate_limit_by_principal: str | None = None
    rate_limit_store: str | None = None
    certificate: str | None = None
    key: str | None = None
    hsts_seconds: Annotated[int, msgspec.Meta(ge=0, le=10 * ONE_YEAR)] = ONE_YEAR


class HttpSettingError(ValueError):
    """A setting cannot be used; the text says what was expected.

    Attributes:
        name: the setting.
        mention: the part of its value that is wrong, to find its line.
    """

    def __init__(self, name: str, reason: str, mention: str = "") -> None:
        """Say what is wrong with the setting `name`."""
        super().__init__(reason)
        self.name = name
        self.mention = mention


def http_settings(table: HttpTable) -> HttpSettings:
    """Check a table.

    Raises:
        HttpSettingError: a setting cannot be used, or not together with another.
    """
    if (table.certificate is None) != (table.key is None):
        given, missing = ("certificate", "key") if table.key is None else ("key", "certificate")
        raise HttpSettingError(given, f"expected a {missing} as well; TLS needs both")
    if table.allow_credentials and ANY_ORIGIN in table.allowed_origins:
        raise HttpSettingError(
            "allow_credentials",
            "expected exact origins beside it; credentials of whoever visits any site are not "
            'given to that site (allowed_origins has "*")',
        )
    by_address = _rate("rate_limit_by_address", table.rate_limit_by_address)
    by_principal = _rate("rate_limit_by_principal", table.rate_limit_by_principal)
    if table.rate_limit_store is not None and by_address is None and by_principal is None:
        raise HttpSettingError("rate_limit_store", "expected a rate limit that is counted there")
    return HttpSettings(
        allowed_origins=tuple(_origin(text) for text in table.allowed_origins),
        allow_credentials=table.allow_credentials,
        trusted_proxies=tuple(_network(text) for text in table.trusted_proxies),
        rate_limit_by_address=by_address,
        rate_limit_by_principal=by_principal,
        rate_limit_store=_store(table.rate_limit_store),
        certificate=_path("certificate", table.certificate),
        key=_path("key", table.key),
        hsts_seconds=table.hsts_seconds,
    )


def _origin(text: str) -> str:
    if text == ANY_ORIGIN:
        return text
    scheme = text.partition(":")[0]
    if not _ORIGIN.fullmatch(text) or text.endswith(_DEFAULT_PORTS.get(scheme, " ")):
        reason = (
            'expected origins as browsers send them, such as "https://shop.example" or '
            '"http://localhost:5173": in lower case, without a path, and without the usual port; '
            'or "*"'
        )
        raise HttpSettingError("allowed_origins", reason, text)
    return text


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        reason = 'expected addresses or networks, such as "10.0.0.7" or "10.0.0.0/8"'
        raise HttpSettingError("trusted_proxies", reason, text) from None


def _rate(name: str, text: str | None) -> Rate | None:
    try:
        return None if text is None else Rate.parse(text)
    except ValueError as error:
        raise HttpSettingError(name, str(error)) from None


def _store(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        is_postgres = database_url(url).drivername == "postgresql"
    except ValueError:
        is_postgres = False
    if not is_postgres:
        # It may hold a password, and is not repeated.
        raise HttpSettingError("rate_limit_store", "expected postgresql://USER@HOST/DATABASE")
    return url


def _path(name: str, text: str | None) -> Path | None:
    if text is None:
        return None
    if not text or not text.isprintable():
        raise HttpSettingError(name, "expected the path of a PEM file")
    return Path(text)
