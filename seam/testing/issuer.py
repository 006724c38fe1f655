"""An issuer of tokens for tests: signs what it is asked to, also what no issuer should."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from seam.auth.key_source import KeySource
from seam.auth.tokens import Expected
from seam.auth.verifier import TokenVerifier

SHOP: Final = Expected(issuer="shop", audience="shop")


class TestIssuer:
    """Signs tokens with a key of its own.

    Attributes:
        key: the private key.
        fetched: how often its keys were fetched.
    """

    __test__ = False

    def __init__(self, kid: str = "first") -> None:
        """Begin with a new key, called `kid`."""
        self.key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": "EdDSA"})
        self.fetched = 0

    def token(
        self,
        subject: str = "zoe",
        roles: object = (),
        *,
        seconds: float = 900,
        header: Mapping[str, object] | None = None,
        **claims: object,
    ) -> str:
        """A token of a user.

        Args:
            subject: the user.
            roles: what the user is, as an array of texts or something else.
            seconds: until it expires.
            header: members of the header that are to be added or replaced.
            claims: the same for claims; None leaves one out.
        """
        now = int(time.time())
        said: dict[str, object] = {
            "iss": SHOP.issuer,
            "aud": SHOP.audience,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "roles": roles,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        head = {"alg": "EdDSA", "kid": self.key.kid, "typ": "at+jwt", **(header or {})}
        return self.signed(msgspec.json.encode(head), msgspec.json.encode(said))

    def signed(self, header: bytes, payload: bytes) -> str:
        """A token of these bytes."""
        signed = f"{encoded(header)}.{encoded(payload)}"
        signature = JWSRegistry.algorithms["EdDSA"].sign(signed.encode(), self.key)
        return f"{signed}.{encoded(signature)}"

    def jwks(self) -> bytes:
        """The public key as a JSON Web Key Set."""
        return msgspec.json.encode({"keys": [self.public()]})

    def public(self) -> dict[str, Any]:
        """The public key."""
        return dict(self.key.as_dict(private=False))

    async def fetch(self) -> bytes:
        """Give the keys, as those who verify tokens ask for them."""
        self.fetched += 1
        return self.jwks()

    def authenticator(
        self, expected: Expected = SHOP, *, now: Callable[[], float] = time.time
    ) -> TokenVerifier:
        """What verifies its tokens."""
        source = KeySource(expected.issuer, self.fetch, expected.algorithms)
        return TokenVerifier(expected, source, now=now)


def encoded(data: bytes) -> str:
    """Bytes in base64url, as a token has them."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
