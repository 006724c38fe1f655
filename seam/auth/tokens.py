"""Reads tokens: what they must look like, say and be signed with before anybody is let in.

Source: https://www.rfc-editor.org/rfc/rfc8725 (best current practices of JSON Web Tokens) and
https://www.rfc-editor.org/rfc/rfc9068 (the profile of access tokens).
"""

from __future__ import annotations

import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from seam.auth.keys import EDDSA, ES256, RS256, VerifyingKey
from seam.call.principal import MAXIMUM_TOKEN_BYTES, Principal

__all__ = ["LEEWAY", "Expected", "Token", "TokenError", "Verified", "read_token"]

LEEWAY: Final = 30.0
"""Seconds by which the clocks of two machines may differ."""

ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105
"""The `typ` of an access token, which tells it from all other tokens of its issuer."""

MAXIMUM_ROLES: Final = 100

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_SUBJECT: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
"""Source: https://openid.net/specs/openid-connect-core-1_0.html#IDToken."""

_ROLE: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


class TokenError(ValueError):
    """A token is refused; the text says why, and repeats nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say.

    Attributes:
        issuer: its `iss`.
        audience: what must be in its `aud`.
        roles: the names that lead to the claim with the roles, outermost first.
        types: what its `typ` may be, in lower case; "" if it may be absent.
        algorithms: what it may be signed with.
    """

    issuer: str
    audience: str
    roles: tuple[str, ...] = ("roles",)
    types: frozenset[str] = frozenset({ACCESS_TOKEN})
    algorithms: frozenset[str] = frozenset({EDDSA})

    @staticmethod
    def of_an_external_issuer(
        issuer: str, audience: str, roles: tuple[str, ...] = ("roles",)
    ) -> Expected:
        """What the tokens of an issuer must say that is not the shop's own.

        Many say `JWT`, or nothing, where RFC 9068 has `at+jwt`; their audience then tells access
        tokens from others.
        """
        return Expected(
            issuer=issuer,
            audience=audience,
            roles=roles,
            types=frozenset({ACCESS_TOKEN, "jwt", ""}),
            algorithms=frozenset({EDDSA, RS256, ES256}),
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """Who a token speaks of, and when it holds, in seconds since the epoch with all leeway."""

    principal: Principal
    begins: float
    ends: float

    def check(self, now: float) -> None:
        """Check that the token holds at a moment.

        Raises:
            TokenError: it does not yet, or does no longer.
        """
        if now >= self.ends:
            raise TokenError("the token has expired")
        if now < self.begins:
            raise TokenError("the token does not hold yet")


class _Header(msgspec.Struct):
    alg: str
    kid: str
    typ: str = ""
    crit: object = None
    b64: object = None


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: float
    nbf: float = -math.inf
    iat: float = -math.inf


class Token:
    """A token whose form is right, and of which nothing else is known yet.

    Attributes:
        key: identifier of the key that it says it was signed with.
    """

    __slots__ = ("_header", "_payload", "_signature", "_signed", "_text", "key")

    def __init__(self, text: str, header: _Header, payload: bytes, signature: bytes) -> None:
        """Hold the parts of a token; see `read_token`."""
        self.key = header.kid
        self._text = text
        self._header = header
        self._payload = payload
        self._signature = signature
        self._signed = text.rpartition(".")[0].encode("ascii")

    def verified(self, key: VerifyingKey, expected: Expected) -> Verified:
        """Who the token speaks of, if it was signed with `key` and says what is expected.

        Raises:
            TokenError: it was not, or does not.
        """
        if self._header.alg != key.algorithm:
            raise TokenError("the token is signed with another algorithm than its key is for")
        if not key.verifies(self._signed, self._signature):
            raise TokenError("the token's signature is wrong")
        try:
            claims = msgspec.json.decode(self._payload, type=_Claims)
            everything = msgspec.json.decode(self._payload, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise TokenError("the token's claims are not those of an access token") from None
        if claims.iss != expected.issuer:
            raise TokenError("the token was issued by somebody else")
        audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if expected.audience not in audiences:
            raise TokenError("the token is meant for somebody else")
        if not _SUBJECT.fullmatch(claims.sub):
            raise TokenError("the token's subject is not 1 to 255 printable ASCII characters")
        if not math.isfinite(claims.exp):
            raise TokenError("the token never expires")
        roles = _roles(everything, expected.roles)
        return Verified(
            Principal(claims.sub, roles, self._text),
            # A token of the future was made by a clock that is wrong, or is a mistake.
            max(claims.nbf, claims.iat) - LEEWAY,
            claims.exp + LEEWAY,
        )


def read_token(text: str, expected: Expected) -> Token:
    """Take a token apart.

    Raises:
        TokenError: it is none, or one that nothing here is signed with.
    """
    if len(text) > MAXIMUM_TOKEN_BYTES:
        raise TokenError(f"the token is longer than {MAXIMUM_TOKEN_BYTES} bytes")
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise TokenError("expected a token of three parts, as RFC 7515 has it")
    raw, payload, signature = (_decoded(part) for part in parts.groups())
    try:
        header = msgspec.json.decode(raw, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenError("the token's header says no alg and kid") from None
    if header.alg not in expected.algorithms:
        raise TokenError("the token is signed with an algorithm that is not accepted")
    if header.crit is not None or header.b64 is not None:
        raise TokenError("the token's header demands what is not understood")
    if header.typ.lower().removeprefix("application/") not in expected.types:
        raise TokenError("the token is no access token")
    return Token(text, header, payload, signature)


def _decoded(part: str) -> bytes:
    """Decode base64url, in the one way in which it may be written."""
    try:
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        decoded = b""
    if urlsafe_b64encode(decoded).rstrip(b"=") != part.encode("ascii"):
        raise TokenError("the token is not written as RFC 7515 has it")
    return decoded


def _roles(claims: Mapping[str, object], path: tuple[str, ...]) -> frozenset[str]:
    found: object = claims
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if found is None:
        return frozenset()
    if not isinstance(found, list) or len(found) > MAXIMUM_ROLES:
        raise TokenError(f"the token's roles are no list of at most {MAXIMUM_ROLES}")
    roles = frozenset(role for role in found if isinstance(role, str) and _ROLE.fullmatch(role))
    if len(roles) != len(found):
        raise TokenError("the token's roles are not different printable texts")
    return roles
