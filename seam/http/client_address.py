"""Who sends a request, where proxies stand between a client and this process.

A proxy adds the address that it sees to the end of `X-Forwarded-For`; whatever stands before is
what the client claims. So the list is read from its end, and for as long as each address is that of
a proxy which is trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from litestar.types import Scope

from seam.http.settings import Network

FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_PROTO: Final = b"x-forwarded-proto"

_MAXIMUM_FORWARDED_BYTES: Final = 2_048
"""What is read of the end of the list."""

_SUBSCRIBER_BITS: Final = 64
"""What one subscriber has of IPv6: https://www.rfc-editor.org/rfc/rfc6177."""


class ClientAddresses:
    """Finds the addresses of clients."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        """Believe proxies in the networks `trusted`."""
        self._trusted = tuple(trusted)
        self._is_trusted = lru_cache(maxsize=4_096)(self._find_trusted)

    @property
    def believes_proxies(self) -> bool:
        """Whether there are proxies that are believed."""
        return bool(self._trusted)

    def subscriber(self, scope: Scope) -> str:
        """Under what a client is counted: an address of IPv4, or a network of 2^64 of IPv6."""
        return subscriber(self.of(scope))

    def of(self, scope: Scope) -> str:
        """The address that a request comes from; "" when it is not known."""
        client = scope["client"]
        peer = client[0] if client else ""
        if not self._trusted or not self._is_trusted(peer):
            return peer
        forwarded = b",".join(value for name, value in scope["headers"] if name == FORWARDED_FOR)
        found = peer
        for hop in reversed(forwarded[-_MAXIMUM_FORWARDED_BYTES:].split(b",")):
            address = _without_port(hop.strip().decode("latin-1"))
            if not _is_address(address):
                break
            found = address
            if not self._is_trusted(address):
                break
        return found

    def is_trusted_peer(self, scope: Scope) -> bool:
        """Whether who sends a request is a proxy that is believed."""
        client = scope["client"]
        return bool(self._trusted) and client is not None and self._is_trusted(client[0])

    def _find_trusted(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted)


@lru_cache(maxsize=16_384)
def subscriber(address: str) -> str:
    """What one client has of addresses: one of IPv4, 2^64 of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        prefix = int(parsed) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS
        return f"{IPv6Address(prefix)}/{_SUBSCRIBER_BITS}"
    return address


def _without_port(hop: str) -> str:
    """The address of a hop that may be `ADDRESS:PORT` or `[IPV6]:PORT`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
