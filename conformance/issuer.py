"""The issuer whose tokens the checks carry, and whom a service under test must know.

Its private key is no secret: it stands here, so that a service which somebody else wrote can be
told the public one, `JWKS`, with the issuer and the audience `conformance`.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seam.auth import ContractPolicy
from seam.auth.key_source import KeySource
from seam.auth.tokens import Expected
from seam.auth.verifier import TokenVerifier
from seam.call.principal import Principal, claimed

SERVICE: Final = "conformance"
"""The service in whose name the handler calls itself."""

EXPECTED: Final = Expected(issuer="conformance", audience="conformance")

_PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(b"known to everyone who runs this.")

_HEADER: Final = {"alg": "EdDSA", "kid": "conformance", "typ": "at+jwt"}


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


JWKS: Final = msgspec.json.encode(
    {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": "conformance",
                "x": _encoded(_PRIVATE.public_key().public_bytes_raw()),
            }
        ]
    }
)
"""The public key, as a JSON Web Key Set."""


async def _fetch() -> bytes:
    return JWKS


POLICY: Final = ContractPolicy(
    TokenVerifier(EXPECTED, KeySource(EXPECTED.issuer, _fetch, EXPECTED.algorithms))
)
"""What our own service is held to."""


def token(
    subject: str,
    roles: Iterable[str] = (),
    *,
    seconds: float = 600,
    header: Mapping[str, object] = _HEADER,
    **claims: object,
) -> str:
    """A token of a user.

    Args:
        subject: the user.
        roles: what the user is.
        seconds: until it expires.
        header: its header.
        claims: added, or replaced.
    """
    now = int(time.time())
    said = {
        "iss": EXPECTED.issuer,
        "aud": EXPECTED.audience,
        "sub": subject,
        "iat": now - 3_600,
        "exp": now + seconds,
        "roles": tuple(roles),
        **claims,
    }
    signed = f"{_encoded(msgspec.json.encode(header))}.{_encoded(msgspec.json.encode(said))}"
    return f"{signed}.{_encoded(_PRIVATE.sign(signed.encode()))}"


def signed_in(subject: str, roles: Iterable[str] = (), **claims: object) -> Principal:
    """A user as a caller knows one that it has not verified: nothing but the token."""
    return claimed(token(subject, roles, **claims))
