"""Who asks: the token in the header `Authorization`, verified for each request."""

from __future__ import annotations

import json
import os
import warnings
from typing import Annotated, Final

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

JWKS: Final = os.environ.get("JWKS")
"""The issuer's public keys, as a JSON Web Key Set; without them, nobody can sign in."""

KEYS: Final = KeySet([]) if JWKS is None else KeySet.import_key_set(json.loads(JWKS))

CLAIMS: Final = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": "shop"},
    aud={"essential": True, "value": "shop"},
    exp={"essential": True},
    sub={"essential": True},
)

# It says each time that EdDSA has a newer name.
warnings.simplefilter("ignore", SecurityWarning)

bearer = HTTPBearer(auto_error=False)


async def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """The subject of the token; "" when nobody is signed in."""
    if credentials is None:
        return ""
    try:
        token = jwt.decode(credentials.credentials, KEYS, algorithms=["EdDSA"])
        CLAIMS.validate(token.claims)
    except (JoseError, ValueError):
        raise HTTPException(status_code=401, detail="The token is refused.") from None
    subject: str = token.claims["sub"]
    return subject


CurrentUser = Annotated[str, Depends(get_current_user)]
"""Who asks."""
