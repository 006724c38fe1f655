"""The API as browsers see it, its tokens verified as every process verifies them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from seam.auth import ContractPolicy
from seam.auth.key_source import KeySource
from seam.auth.tokens import Expected
from seam.auth.verifier import TokenVerifier
from seam.bus import HandlerRegistry, InProcessChannel
from seam.http import application
from seam.persistence import Database
from services.authentication.api.authentication_api import AuthenticationApi
from services.authentication.conftest import AdjustableClock
from services.authentication.domain.email_address import read_email_address
from services.authentication.domain.password_hashing import PasswordHashing
from services.authentication.messagebus.authentication import Authentication
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.records.api_bus import register_authentication_api
from services.authentication.records.api_routes import AUTHENTICATION_API_HTTP
from services.authentication.records.messagebus import GetKeysRequest
from services.authentication.signing.key_store import KeyStore

ANN = {"email": "ann@example.org", "password": "correct horse"}


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(
    database: Database, passwords: PasswordHashing, keys: KeyStore, clock: AdjustableClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, which lets in whom its contract names."""
    authentication = Authentication(keys, database)

    async def fetch() -> bytes:
        return (await authentication.get_keys(GetKeysRequest())).jwks.encode()

    expected = Expected(issuer="shop", audience="shop")
    source = KeySource("shop", fetch, expected.algorithms)
    verifier = TokenVerifier(expected, source, now=lambda: clock.now / 1e6)
    registry = HandlerRegistry(policy=ContractPolicy(verifier))
    registry.register(
        register_authentication_api(AuthenticationApi(database, passwords, keys, clock))
    )
    channel = InProcessChannel(registry, strict=True)
    app = application(
        [AUTHENTICATION_API_HTTP], lambda _: channel, ready, title="test", authenticator=verifier
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    return document


async def logged_in(http: httpx.AsyncClient) -> dict[str, Any]:
    assert (await http.post("/v1/users", json=ANN)).status_code == 200
    answer = await http.post("/v1/authenticate", json=ANN)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def test_from_registering_to_leaving(http: httpx.AsyncClient) -> None:
    tokens = await logged_in(http)
    assert tokens.keys() == {"accessToken", "tokenType", "expiresIn", "refreshToken"}
    assert (tokens["tokenType"], tokens["expiresIn"]) == ("Bearer", 900)
    ann = bearing(tokens["accessToken"])
    me = (await http.get("/v1/users/me", headers=ann)).json()
    assert (me["email"], me["roles"]) == ("ann@example.org", [])
    assert me["registeredAt"].endswith("Z")
    changed = await http.post(
        "/v1/users/me:changePassword",
        json={"currentPassword": ANN["password"], "newPassword": "battery staple"},
        headers=ann,
    )
    assert changed.status_code == 200, changed.text
    refused = {"refreshToken": tokens["refreshToken"]}
    assert problem(await http.post("/v1/authenticate:refresh", json=refused), 401)
    good = {"refreshToken": changed.json()["refreshToken"]}
    refreshed = await http.post("/v1/authenticate:refresh", json=good)
    assert refreshed.status_code == 200, refreshed.text
    last = {"refreshToken": refreshed.json()["refreshToken"]}
    for _ in range(2):
        assert (await http.post("/v1/authenticate:logout", json=last)).json() == {}
    assert problem(await http.post("/v1/authenticate:refresh", json=last), 401)
    ann = bearing(refreshed.json()["accessToken"])
    for _ in range(2):
        assert (await http.delete("/v1/users/me", headers=ann)).json() == {}
    gone = problem(await http.get("/v1/users/me", headers=ann), 404)
    assert gone["error"] == "UserNotFound"


async def test_who_has_to_wait_is_told_for_how_long_account_or_not(
    http: httpx.AsyncClient, clock: AdjustableClock
) -> None:
    await logged_in(http)
    told = []
    for email in (ANN["email"], "nobody@example.org"):
        wrong = {"email": email, "password": "a wrong horse"}
        for _ in range(5):
            refused = await http.post("/v1/authenticate", json=wrong)
            assert "retry-after" not in refused.headers
            problem(refused, 401)
        waits = []
        for _ in range(3):
            answer = await http.post("/v1/authenticate", json=wrong)
            waits.append((answer.headers["retry-after"], problem(answer, 429)))
            clock.advance(int(answer.headers["retry-after"]))
            problem(await http.post("/v1/authenticate", json=wrong), 401)
        told.append(waits)
    assert [seconds for seconds, _ in told[0]] == ["1", "2", "4"]
    assert all(document["fields"] == {"retryAfterSeconds": int(s)} for s, document in told[0])
    assert told[0] == told[1]


async def test_the_keys_are_a_json_web_key_set_and_nothing_else(http: httpx.AsyncClient) -> None:
    answer = await http.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    (key,) = answer.json()["keys"]
    assert answer.json().keys() == {"keys"}
    assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


async def test_refusals_say_what_is_wrong_and_repeat_no_password(http: httpx.AsyncClient) -> None:
    await http.post("/v1/users", json=ANN)
    wrong = {**ANN, "password": "something else"}
    document = problem(await http.post("/v1/authenticate", json=wrong), 401)
    assert document["error"] == "InvalidCredentials"
    for _ in range(4):
        await http.post("/v1/authenticate", json=wrong)
    document = problem(await http.post("/v1/authenticate", json=wrong), 429)
    assert document["error"] == "TooManyAttempts"
    assert document["fields"] == {"retryAfterSeconds": 1}
    for path in ("/v1/users", "/v1/authenticate"):
        for body, field in (
            ({"email": "bob@example.org", "password": "s3cret!"}, "password"),
            ({"email": "bob", "password": "s3cret-enough"}, "email"),
            ({"email": "bob@example.org"}, "password"),
            ({"password": "s3cret-enough"}, "email"),
        ):
            answer = await http.post(path, json=body)
            assert problem(answer, 400)["errors"][0]["field"] == field
            assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/v1/users/me"),
        ("DELETE", "/v1/users/me"),
        ("POST", "/v1/users/me:changePassword"),
    ],
)
async def test_who_is_not_signed_in_has_no_account_to_look_after(
    http: httpx.AsyncClient, verb: str, path: str
) -> None:
    body = {"currentPassword": "correct horse", "newPassword": "battery staple"}
    json_body = body if verb == "POST" else None
    assert problem(await http.request(verb, path, json=json_body), 401)["code"] == (
        "UNAUTHENTICATED"
    )
    tokens = await logged_in(http)
    for forged in ("nonsense", tokens["accessToken"][:-4] + "AAAA", tokens["refreshToken"]):
        answer = await http.request(verb, path, json=json_body, headers=bearing(forged))
        assert problem(answer, 401)["code"] == "UNAUTHENTICATED"


async def test_an_access_token_expires_and_the_next_one_goes_on(
    http: httpx.AsyncClient, clock: AdjustableClock
) -> None:
    tokens = await logged_in(http)
    clock.advance(900 + 60)
    assert problem(await http.get("/v1/users/me", headers=bearing(tokens["accessToken"])), 401)
    body = {"refreshToken": tokens["refreshToken"]}
    fresh = (await http.post("/v1/authenticate:refresh", json=body)).json()
    answer = await http.get("/v1/users/me", headers=bearing(fresh["accessToken"]))
    assert answer.status_code == 200


async def test_tokens_of_the_old_key_hold_while_the_new_one_signs(
    http: httpx.AsyncClient, keys: KeyStore, clock: AdjustableClock
) -> None:
    tokens = await logged_in(http)
    await keys.rotate(at_once=False)
    clock.advance(600)
    await keys.look_after()
    body = {"refreshToken": tokens["refreshToken"]}
    fresh = (await http.post("/v1/authenticate:refresh", json=body)).json()
    old, new = (json_header(each["accessToken"]) for each in (tokens, fresh))
    assert old != new
    for each in (tokens, fresh):
        answer = await http.get("/v1/users/me", headers=bearing(each["accessToken"]))
        assert answer.status_code == 200, answer.text
    assert len((await http.get("/.well-known/jwks.json")).json()["keys"]) == 2


async def test_a_role_that_was_granted_is_in_the_next_token(
    http: httpx.AsyncClient, database: Database
) -> None:
    tokens = await logged_in(http)
    accounts = AccountRepository(database)
    account = await accounts.by_email(read_email_address(ANN["email"]))
    assert account is not None
    await accounts.grant(account.user_id, "agent")
    body = {"refreshToken": tokens["refreshToken"]}
    fresh = (await http.post("/v1/authenticate:refresh", json=body)).json()
    assert json_claims(tokens["accessToken"])["roles"] == []
    claims = json_claims(fresh["accessToken"])
    assert claims["roles"] == ["agent"]
    assert claims["sid"] == json_claims(tokens["accessToken"])["sid"]
    assert claims["sub"] == account.user_id


def json_header(token: str) -> dict[str, Any]:
    return _part(token, 0)


def json_claims(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _part(token: str, index: int) -> dict[str, Any]:
    part = token.split(".")[index]
    members: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members
