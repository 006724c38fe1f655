"""Whose tokens a process accepts, and where it has their keys from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from seam.auth.key_source import Fetch, KeySource
from seam.auth.shop_issuer import keys_over
from seam.auth.tokens import Expected
from seam.auth.verifier import TokenVerifier
from seam.bus import Channel
from seam.runtime.topology import IssuerSettings, Topology

__all__ = ["SHOP", "Issuer", "issuer_of"]

SHOP: Final = Expected(issuer="shop", audience="shop")
"""What the tokens say that the shop's own service `authentication` issues."""


class Issuer:
    """The issuer of the tokens that a process accepts.

    Attributes:
        verifier: verifies them.
        source: keeps its keys.
    """

    def __init__(self, expected: Expected, fetch: Fetch) -> None:
        """Accept tokens that say what is `expected`, by keys that `fetch` gives."""
        self.source = KeySource(expected.issuer, fetch, expected.algorithms)
        self.verifier = TokenVerifier(expected, self.source)


def issuer_of(topology: Topology, channel: Callable[[], Channel]) -> Issuer:
    """The issuer that a topology names: another one, or the shop's own service.

    Args:
        topology: all processes.
        channel: gives the channel to that service.
    """
    if topology.auth is not None:
        settings = topology.auth
        expected = Expected.of_an_external_issuer(
            settings.issuer, settings.audience, settings.roles
        )
        return Issuer(expected, _fetch(settings))
    return Issuer(SHOP, keys_over(channel))


def _fetch(settings: IssuerSettings) -> Fetch:
    # A client of HTTP is loaded by processes that ask somebody else.
    from seam.auth.fetching import keys_at, keys_in, keys_of_issuer  # noqa: PLC0415

    if not settings.jwks:
        return keys_of_issuer(settings.issuer)
    return keys_at(settings.jwks) if "://" in settings.jwks else keys_in(Path(settings.jwks))
