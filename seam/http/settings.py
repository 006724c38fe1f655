"""What a process is told about its front door: the table `[http]` of a topology."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

from seam.http.rate import Rate

Network = IPv4Network | IPv6Network

ONE_YEAR: Final = 31_536_000
"""Seconds."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How HTTP is served. The defaults need no file, and let nobody in from elsewhere.

    Attributes:
        allowed_origins: origins whose scripts may call, such as `https://shop.example`.
        allow_credentials: whether these scripts may send cookies.
        trusted_proxies: networks of proxies that are believed what they say of their clients.
        rate_limit_by_address: how much one address may ask, such as `600/minute`; no bound if None.
        rate_limit_by_principal: how much may be asked in the name of one principal.
        rate_limit_store: URL of the PostgreSQL where processes count together; each alone if None.
        certificate: PEM file of the chain, the server's first; without one, TLS is not spoken here.
        key: PEM file of its private key.
        hsts_seconds: for how long browsers that came over TLS shall come in no other way.
    """

    allowed_origins: tuple[str, ...] = ()
    allow_credentials: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    rate_limit_by_address: Rate | None = None
    rate_limit_by_principal: Rate | None = None
    rate_limit_store: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    hsts_seconds: int = ONE_YEAR


DEFAULT_HTTP_SETTINGS: Final = HttpSettings()
