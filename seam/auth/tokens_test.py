from __future__ import annotations

import base64
import hashlib
import hmac
import math
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from seam.auth.keys import KeysError, read_keys
from seam.auth.tokens import LEEWAY, Expected, TokenError, Verified, read_token
from seam.testing.issuer import SHOP, TestIssuer, encoded

ISSUER = TestIssuer()
EXTERNAL = Expected.of_an_external_issuer("https://id.example", "shop", ("realm_access", "roles"))


def verified(text: str, expected: Expected = SHOP, jwks: bytes = b"") -> Verified:
    """Verify a token by the keys of the issuer, or of `jwks`."""
    keys = read_keys(jwks or ISSUER.jwks(), expected.algorithms)
    token = read_token(text, expected)
    found = keys.get(token.key)
    if found is None:
        raise TokenError("unknown key")
    result = token.verified(found, expected)
    result.check(time.time())
    return result


def refusal(text: str, expected: Expected = SHOP) -> str:
    with pytest.raises(TokenError) as caught:
        verified(text, expected)
    return str(caught.value)


def test_a_token_says_who_asks_and_with_which_roles() -> None:
    text = ISSUER.token("zoe", ["agent", "buyer"], jti="1", sid="2")
    principal = verified(text).principal
    assert (principal.subject, principal.roles) == ("zoe", {"agent", "buyer"})
    assert principal.token == text
    assert text not in repr(principal)


def test_a_token_without_roles_has_none() -> None:
    assert verified(ISSUER.token(roles=None)).principal.roles == frozenset()


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "somebody"}, "issued by somebody else"),
        ({"iss": None}, "not those of an access token"),
        ({"aud": "another"}, "meant for somebody else"),
        ({"aud": ["another", "Shop"]}, "meant for somebody else"),
        ({"aud": []}, "meant for somebody else"),
        ({"aud": None}, "not those of an access token"),
        ({"sub": None}, "not those of an access token"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "zo\u0000e"}, "subject"),
        ({"sub": "zoë"}, "subject"),
        ({"sub": " zoe"}, "subject"),
        ({"sub": 1}, "not those of an access token"),
        ({"exp": None}, "not those of an access token"),
        ({"exp": "tomorrow"}, "not those of an access token"),
        ({"exp": True}, "not those of an access token"),
        ({"exp": 0}, "has expired"),
        ({"exp": -(2**53)}, "has expired"),
        ({"exp": time.time() - LEEWAY - 1}, "has expired"),
        ({"nbf": time.time() + LEEWAY + 60}, "does not hold yet"),
        ({"iat": time.time() + LEEWAY + 60}, "does not hold yet"),
        ({"roles": "agent"}, "roles"),
        ({"roles": {"agent": True}}, "roles"),
        ({"roles": ["agent", 1]}, "roles"),
        ({"roles": ["agent", "agent"]}, "roles"),
        ({"roles": [""]}, "roles"),
        ({"roles": [f"r{number}" for number in range(101)]}, "roles"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    claims: dict[str, object], reason: str
) -> None:
    assert reason in refusal(ISSUER.token(**claims))  # type: ignore[arg-type]


def test_clocks_may_differ_by_the_leeway() -> None:
    now = time.time()
    verified(ISSUER.token(exp=now - LEEWAY + 5, nbf=now + LEEWAY - 5, iat=now + LEEWAY - 5))


def test_one_audience_among_several_is_enough() -> None:
    assert verified(ISSUER.token(aud=["another", "shop"])).principal.subject == "zoe"


@pytest.mark.parametrize("exp", [b"1e999", b"NaN", b"Infinity", b"9" * 3000, b"[" * 3000])
def test_numbers_that_nothing_can_hold_are_refused(exp: bytes) -> None:
    payload = b'{"iss":"shop","aud":"shop","sub":"zoe","exp":%s}' % exp
    header = msgspec.json.encode({"alg": "EdDSA", "kid": "first", "typ": "at+jwt"})
    assert "access token" in refusal(ISSUER.signed(header, payload)) or "longer" in refusal(
        ISSUER.signed(header, payload)
    )


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": ""},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": "Ed448"},
        {"alg": 1},
        {"kid": "another"},
        {"kid": ""},
        {"kid": None},
        {"kid": "../../../dev/null"},
        {"typ": "JWT"},
        {"typ": ""},
        {"typ": "rt+jwt"},
        {"typ": "id+jwt"},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": "exp"},
        {"b64": False, "crit": ["b64"]},
        {"b64": False},
    ],
)
def test_a_header_that_asks_for_something_else_is_refused(header: dict[str, object]) -> None:
    assert refusal(ISSUER.token(header=header))


def test_keys_that_a_token_brings_along_are_not_looked_at() -> None:
    mallory = TestIssuer()
    for smuggled in (
        {"jwk": mallory.public()},
        {"jku": "https://mallory.example/jwks"},
        {"x5u": "https://mallory.example/cert", "x5c": ["MII"]},
    ):
        assert "signature" in refusal(mallory.token(header=smuggled))


def test_typ_may_be_written_as_a_media_type_and_in_capitals() -> None:
    assert verified(ISSUER.token(header={"typ": "application/AT+JWT"})).principal.subject == "zoe"


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    header = encoded(b'{"alg":"HS256","kid":"first","typ":"at+jwt"}')
    payload = ISSUER.token().split(".")[1]
    for secret in (ISSUER.jwks(), base64.urlsafe_b64decode(ISSUER.public()["x"] + "=")):
        mac = hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()
        text = f"{header}.{payload}.{encoded(mac)}"
        assert "algorithm" in refusal(text)
        assert "algorithm" in refusal(text, EXTERNAL)


def test_a_token_without_its_signature_or_with_that_of_another_is_refused() -> None:
    one, other = ISSUER.token("zoe"), ISSUER.token("mallory")
    header, payload, _ = one.split(".")
    for text in (
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload}.{other.split('.')[2]}",
        f"{header}.{other.split('.')[1]}.{one.split('.')[2]}",
        f"{header}.{payload}.{encoded(bytes(64))}",
        TestIssuer().token("zoe"),
    ):
        assert refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\x00",
        "Bearer a.b.c",
        "\ud800.a.b",
        "a" * 5_000,
        "ä.b.c",
        "a.b.c.d.e",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refusal(text)


@given(st.integers(0, 10_000), st.sampled_from("Aa0_-.=+ \n"))
def test_a_token_with_one_character_changed_is_refused(at: int, character: str) -> None:
    text = _TOKEN
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    if changed != text:
        assert refusal(changed)


_TOKEN = ISSUER.token()


@given(st.text(max_size=300))
def test_no_text_is_more_than_refused(text: str) -> None:
    assert refusal(text)


def _sign(key: RSAKey | ECKey | OKPKey, algorithm: str, claims: dict[str, object]) -> str:
    header = encoded(msgspec.json.encode({"alg": algorithm, "kid": "theirs", "typ": "JWT"}))
    signed = f"{header}.{encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{encoded(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key))}"


CLAIMS: dict[str, object] = {
    "iss": "https://id.example",
    "aud": ["shop"],
    "sub": "f:1:zoe",
    "exp": math.floor(time.time()) + 300,
    "realm_access": {"roles": ["agent"]},
}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_the_keys_of_an_external_issuer_say_with_what_it_signs(algorithm: str) -> None:
    key: RSAKey | ECKey | OKPKey
    if algorithm == "RS256":
        key = RSAKey.import_key(rsa.generate_private_key(65537, 2048), {"kid": "theirs"})
    elif algorithm == "ES256":
        key = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()), {"kid": "theirs"})
    else:
        key = OKPKey.generate_key("Ed25519", {"kid": "theirs"})
    jwks = msgspec.json.encode({"keys": [key.as_dict(private=False)]})
    text = _sign(key, algorithm, CLAIMS)
    principal = verified(text, EXTERNAL, jwks).principal
    assert (principal.subject, principal.roles) == ("f:1:zoe", {"agent"})
    with pytest.raises(KeysError, match="no key can be used"):
        read_keys(jwks, {"EdDSA"} - {algorithm})
    if algorithm == "RS256":
        for other in ("PS256", "RS512"):
            with pytest.raises(TokenError, match="not accepted"):
                verified(_sign(key, other, CLAIMS), EXTERNAL, jwks)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[1]}',
        b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","kid":"a"}]}',
        b'{"keys":[{"kty":"OKP","crv":"X25519","x":"AA","kid":"a"}]}',
        b'{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]}',
        b'{"keys":' + b"[" * 5_000,
        b" " * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_document_without_usable_keys_is_refused(document: bytes) -> None:
    with pytest.raises(KeysError):
        read_keys(document, EXTERNAL.algorithms)


def test_keys_for_something_else_are_left_out_and_private_ones_refused() -> None:
    public = ISSUER.public()
    for changed in ({"use": "enc"}, {"alg": "ES256"}, {"kid": ""}, {"key_ops": ["sign"]}):
        document = msgspec.json.encode({"keys": [{**public, **changed}]})
        with pytest.raises(KeysError, match="no key can be used"):
            read_keys(document, SHOP.algorithms)
    private = msgspec.json.encode({"keys": [dict(ISSUER.key.as_dict(private=True))]})
    with pytest.raises(KeysError, match="private"):
        read_keys(private, SHOP.algorithms)
    twice = msgspec.json.encode({"keys": [public, public]})
    with pytest.raises(KeysError, match="two keys"):
        read_keys(twice, SHOP.algorithms)
