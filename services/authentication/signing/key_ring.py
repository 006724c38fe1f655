"""Which key signs, which are published, and when the next one is due.

A key is published before it signs, so that who verifies has it by then, and after it has signed,
until every token of it has expired. What follows from the keys and the time is not stored.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seam.auth.keys import EDDSA
from services.authentication.domain.clock import SECOND
from services.authentication.domain.lifetimes import (
    ACCESS_TOKEN_SECONDS,
    ANNOUNCEMENT,
    CLOCK_SKEW,
    KEY,
)
from services.authentication.records.api import JsonWebKey


@dataclass(frozen=True, eq=False)
class SigningKey:
    """A key that signs tokens.

    Attributes:
        generation: counts the keys; no two have the same.
        private: the private key.
        signs_from: when it takes over, in microseconds since the epoch.
    """

    generation: int
    private: Ed25519PrivateKey
    signs_from: int

    @cached_property
    def public(self) -> JsonWebKey:
        """What others verify with."""
        x = base64url(self.private.public_key().public_bytes_raw())
        return JsonWebKey(kty="OKP", crv="Ed25519", x=x, kid=_thumbprint(x), alg=EDDSA, use="sig")


def signing_key(keys: tuple[SigningKey, ...], now: int) -> SigningKey:
    """The key that signs now: of those that have taken over the last, else the first that will.

    Args:
        keys: all keys, of which there are some.
        now: the time, in microseconds since the epoch.
    """
    ordered = _ordered(keys)
    begun = [key for key in ordered if key.signs_from <= now]
    return begun[-1] if begun else ordered[0]


def published(keys: tuple[SigningKey, ...], now: int) -> tuple[SigningKey, ...]:
    """The keys that tokens may be verified with: all but those that were replaced long ago."""
    over = ACCESS_TOKEN_SECONDS * SECOND + CLOCK_SKEW
    ordered = _ordered(keys)
    gone = sum(key.signs_from + over <= now for key in ordered[1:])
    return ordered[gone:]


def next_key(keys: tuple[SigningKey, ...], now: int) -> SigningKey:
    """A new key, which takes over when others know it; at once where it is the first."""
    return SigningKey(
        generation=max((key.generation for key in keys), default=0) + 1,
        private=Ed25519PrivateKey.generate(),
        signs_from=now + ANNOUNCEMENT if keys else now,
    )


def is_due(keys: tuple[SigningKey, ...], now: int) -> bool:
    """Whether there should be one more key."""
    return all(key.signs_from + KEY - ANNOUNCEMENT <= now for key in keys)


def base64url(data: bytes) -> str:
    """Write bytes as JSON Web Signatures do: https://www.rfc-editor.org/rfc/rfc7515#section-2."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _ordered(keys: tuple[SigningKey, ...]) -> tuple[SigningKey, ...]:
    return tuple(sorted(keys, key=lambda key: (key.signs_from, key.generation)))


def _thumbprint(x: str) -> str:
    """Source: https://www.rfc-editor.org/rfc/rfc7638, https://www.rfc-editor.org/rfc/rfc8037#appendix-A.3."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": x}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())
