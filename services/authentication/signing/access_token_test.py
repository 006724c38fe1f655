"""Access tokens are what everybody's libraries take for one."""

from __future__ import annotations

import json
import warnings

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from msgspec.structs import replace

from services.authentication.domain.clock import SECOND
from services.authentication.records.api import JsonWebKeySet
from services.authentication.records.api_json import json_web_key_set_to_json
from services.authentication.signing.access_token import Bearer, access_token
from services.authentication.signing.key_ring import SigningKey, next_key

NOW = 1_700_000_000 * SECOND + 999_999
ANN = Bearer("ann", "session", ("agent", "ä"))


def decoded(token: str, *keys: SigningKey) -> jwt.Token:
    published = JsonWebKeySet(keys=tuple(key.public for key in keys))
    key_set = json.loads(json.dumps(json_web_key_set_to_json(published)))
    with warnings.catch_warnings():
        # The newer name of the algorithm, of RFC 9864, is not what verifiers know today.
        warnings.simplefilter("ignore")
        return jwt.decode(token, KeySet.import_key_set(key_set), algorithms=["EdDSA"])


def test_a_token_says_who_it_is_for_and_until_when() -> None:
    key = next_key((), NOW)
    token = decoded(access_token(ANN, key, NOW), key)
    assert token.header == {"alg": "EdDSA", "kid": key.public.kid, "typ": "at+jwt"}
    assert token.claims.pop("jti")
    assert token.claims == {
        "iss": "shop",
        "aud": "shop",
        "sub": "ann",
        "sid": "session",
        "iat": 1_700_000_000,
        "exp": 1_700_000_900,
        "roles": ["agent", "ä"],
    }


def test_no_two_tokens_are_the_same() -> None:
    key = next_key((), NOW)
    assert access_token(ANN, key, NOW) != access_token(ANN, key, NOW)


def test_a_token_is_verified_by_the_key_that_signed_it_among_others() -> None:
    first = next_key((), NOW)
    second = next_key((first,), NOW)
    for key in (first, second):
        assert decoded(access_token(ANN, key, NOW), first, second).claims["sub"] == "ann"


def test_a_token_that_was_changed_is_none() -> None:
    key = next_key((), NOW)
    header, claims, signature = access_token(ANN, key, NOW).split(".")
    other = access_token(replace(ANN, user_id="bob"), key, NOW).split(".")[1]
    with pytest.raises(BadSignatureError):
        decoded(f"{header}.{other}.{signature}", key)
    assert decoded(f"{header}.{claims}.{signature}", key).claims["sub"] == "ann"
