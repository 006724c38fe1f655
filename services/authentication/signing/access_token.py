"""Access tokens: JSON Web Tokens that say who somebody is, for a few minutes.

Source: https://www.rfc-editor.org/rfc/rfc9068, signed as https://www.rfc-editor.org/rfc/rfc8037
has it. To write one takes no library; those who read them take one.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import msgspec

from seam.auth.keys import EDDSA
from seam.auth.tokens import ACCESS_TOKEN
from seam.runtime.issuer import SHOP
from services.authentication.domain.clock import SECOND
from services.authentication.domain.lifetimes import ACCESS_TOKEN_SECONDS
from services.authentication.signing.key_ring import SigningKey, base64url


class Bearer(msgspec.Struct, frozen=True):
    """Who a token is for.

    Attributes:
        user_id: the account.
        session_id: the session that it is of.
        roles: what the account is trusted with.
    """

    user_id: str
    session_id: str
    roles: Sequence[str]


def access_token(bearer: Bearer, key: SigningKey, now: int) -> str:
    """Make a token.

    Args:
        bearer: who it is for.
        key: signs it.
        now: the time, in microseconds since the epoch.
    """
    seconds = now // SECOND
    header = {"alg": EDDSA, "kid": key.public.kid, "typ": ACCESS_TOKEN}
    claims = {
        "iss": SHOP.issuer,
        "aud": SHOP.audience,
        "sub": bearer.user_id,
        "iat": seconds,
        "exp": seconds + ACCESS_TOKEN_SECONDS,
        "jti": str(uuid.uuid4()),
        "sid": bearer.session_id,
        "roles": list(bearer.roles),
    }
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{base64url(key.private.sign(signed.encode()))}"


def _part(members: Mapping[str, object]) -> str:
    return base64url(msgspec.json.encode(members))
