"""Forged tokens, stolen ones and other people's things, against a running shop.

Most forgeries are signed with the shop's own key, so that each is refused for one reason alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest

from seam.testing.issuer import TestIssuer, encoded
from tests.abuse.conftest import Attacked
from tests.system.accounts_test import Person
from tests.system.business_processes_test import item_with_stock
from tests.system.topologies import CALLED_BY_ORDERS

Forgery = Callable[[Attacked, str], str]

FREE: Final = 5
"""Guesses before anybody has to wait."""

LONG_WAIT: Final = 4
"""Seconds."""

KID_ATTACKS: Final = (
    "../../../../dev/null",
    "/proc/self/environ",
    "' OR '1'='1",
    "x' UNION SELECT 'AAAA' -- ",
    "http://127.0.0.1:9/jwks.json",
    "|/bin/true",
    "\x00",
    "",
    "k" * 1_000,
)


def status(attacked: Attacked, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    answer = attacked.shop.http.get("/v1/users/me", headers=headers)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        # What is refused is not repeated: it may be somebody's.
        assert token not in answer.text
    return answer.status_code


def user_of(person: Person) -> str:
    found: str = person.see("/v1/users/me")["userId"]
    return found


def claims(user: str, **changed: object) -> dict[str, object]:
    now = int(time.time())
    said: dict[str, object] = {"iss": "shop", "aud": "shop", "sub": user, "iat": now}
    return {**said, "exp": now + 900, "roles": [], **changed}


def with_header(**header: object) -> Forgery:
    """Signed with the shop's key, under a header that asks for something else."""

    def forge(attacked: Attacked, user: str) -> str:
        return attacked.key.token(user, header=header)

    return forge


def with_claims(**changed: object) -> Forgery:
    def forge(attacked: Attacked, user: str) -> str:
        return attacked.key.token(user, **changed)  # type: ignore[arg-type]

    return forge


def unsigned(alg: str) -> Forgery:
    def forge(attacked: Attacked, user: str) -> str:
        head = {"alg": alg, "kid": attacked.key.kid, "typ": "at+jwt"}
        return f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(claims(user)).encode())}."

    return forge


def public_key_as_secret(form: str) -> Forgery:
    """HMAC with what everybody can fetch as its secret."""

    def forge(attacked: Attacked, user: str) -> str:
        public = attacked.key.public()
        secret = {
            "x": public["x"].encode(),
            "jwk": json.dumps(public).encode(),
            "pem": attacked.key.key.as_pem(private=False),
        }[form]
        head = {"alg": "HS256", "kid": public["kid"], "typ": "at+jwt"}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims(user)))
        code = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{encoded(code)}"

    return forge


def of_another_key(attacked: Attacked, user: str) -> str:
    forger = TestIssuer(kid=attacked.key.kid)
    return forger.token(user)


def with_its_own_key(member: str) -> Forgery:
    """Signed with a key that the token brings along, or says where to fetch."""

    def forge(attacked: Attacked, user: str) -> str:
        forger = TestIssuer(kid=attacked.key.kid)
        brought: object = "https://127.0.0.1:9/keys"
        if member == "jwk":
            brought = forger.public()
        elif member == "x5c":
            brought = [encoded(b"certificate")]
        return forger.token(user, header={member: brought})

    return forge


def tampered(attacked: Attacked, user: str) -> str:
    """The payload of an agent under the signature of a customer."""
    head, _, signature = attacked.key.token(user).split(".")
    payload = encoded(json.dumps(claims(user, roles=["agent"])).encode())
    return f"{head}.{payload}.{signature}"


def shortened(attacked: Attacked, user: str) -> str:
    return attacked.key.token(user)[:-4]


def padded(attacked: Attacked, user: str) -> str:
    return f"{attacked.key.token(user)}=="


def oversized(attacked: Attacked, user: str) -> str:
    return attacked.key.token(user, note="x" * 20_000)


def with_double_subject(attacked: Attacked, user: str) -> str:
    """Two subjects, of which one program reads the first and another the last."""
    said = json.dumps(claims(user))
    head = {"alg": "EdDSA", "kid": attacked.key.kid, "typ": "at+jwt"}
    payload = f'{said[:-1]}, "sub": ""}}'
    return attacked.key.signed(json.dumps(head).encode(), payload.encode())


FORGERIES: Final[dict[str, Forgery]] = {
    "alg none": unsigned("none"),
    "alg NoNe": unsigned("NoNe"),
    "no alg": unsigned(""),
    "no signature": unsigned("EdDSA"),
    "HS256 with x as secret": public_key_as_secret("x"),
    "HS256 with the JWK as secret": public_key_as_secret("jwk"),
    "HS256 with the PEM as secret": public_key_as_secret("pem"),
    "alg RS256": with_header(alg="RS256"),
    "alg ES256": with_header(alg="ES256"),
    "another key under the shop's kid": of_another_key,
    "a key of its own, jwk": with_its_own_key("jwk"),
    "a key of its own, jku": with_its_own_key("jku"),
    "a key of its own, x5u": with_its_own_key("x5u"),
    "a key of its own, x5c": with_its_own_key("x5c"),
    "crit": with_header(crit=["exp"]),
    "crit of nothing": with_header(crit=[]),
    "b64": with_header(b64=False),
    "an ID token": with_header(typ="JWT"),
    "a refresh token's typ": with_header(typ="rt+jwt"),
    "another issuer": with_claims(iss="https://evil.example"),
    "another audience": with_claims(aud="bank"),
    "no audience": with_claims(aud=None),
    "expired": with_claims(exp=int(time.time()) - 3_600),
    "never expires": with_claims(exp=None),
    "expires at infinity": with_claims(exp=math.inf),
    "not yet valid": with_claims(nbf=int(time.time()) + 3_600),
    "made in the future": with_claims(iat=int(time.time()) + 3_600),
    "a subject of two lines": with_claims(sub="ann\r\nX-Admin: 1"),
    "roles that are no list": with_claims(roles="agent"),
    "a tampered payload": tampered,
    "a shortened signature": shortened,
    "padding": padded,
    "oversized": oversized,
    "two subjects": with_double_subject,
    **{f"kid {kid[:20]!r}": with_header(kid=kid) for kid in KID_ATTACKS},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(monolith: Attacked, forge: Forgery) -> None:
    assert status(monolith, forge(monolith, "nobody")) in {400, 401, 431}


def test_a_token_that_the_shop_could_have_made_is_taken(monolith: Attacked) -> None:
    person = Person(monolith.shop)
    # So it is not all that is forged here that is refused.
    assert status(monolith, monolith.key.token(user_of(person))) == 200


def test_nothing_that_was_forged_is_in_a_log(monolith: Attacked) -> None:
    forged = [forge(monolith, "nobody") for forge in FORGERIES.values()]
    for token in forged:
        status(monolith, token)
    logs = monolith.logs()
    assert "Traceback" not in logs
    assert not [token for token in forged if token in logs]


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Basic YTpi", "bearer a b", "Bearer\ta.b.c", "Bearer a.b.c, Bearer d"],
)
def test_what_is_no_bearer_token_is_refused(monolith: Attacked, header: str) -> None:
    answer = monolith.shop.http.get("/v1/inventory", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_query_or_a_cookie_is_no_token(monolith: Attacked) -> None:
    token = Person(monolith.shop).tokens["accessToken"]
    answers = [
        monolith.shop.http.get("/v1/users/me", params={"access_token": token}),
        monolith.shop.http.get("/v1/users/me", headers={"cookie": f"access_token={token}"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 401]


def test_a_refresh_token_that_is_used_again_ends_the_session(attacked: Attacked) -> None:
    person = Person(attacked.shop)
    stolen = {"refreshToken": person.tokens["refreshToken"]}
    fresh = attacked.shop.http.post("/v1/authenticate:refresh", json=stolen)
    assert fresh.status_code == 200
    replayed = attacked.shop.http.post("/v1/authenticate:refresh", json=stolen)
    assert (replayed.status_code, replayed.json()["error"]) == (401, "InvalidRefreshToken")
    # The thief's own is worth nothing either.
    again = {"refreshToken": fresh.json()["refreshToken"]}
    assert attacked.shop.http.post("/v1/authenticate:refresh", json=again).status_code == 401


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(monolith: Attacked) -> None:
    tokens = Person(monolith.shop).tokens
    body = {"refreshToken": tokens["accessToken"]}
    # It is too long for one, by the contract's own rule.
    assert monolith.shop.http.post("/v1/authenticate:refresh", json=body).status_code == 400
    cut = {"refreshToken": tokens["accessToken"][: len(tokens["refreshToken"])]}
    assert monolith.shop.http.post("/v1/authenticate:refresh", json=cut).status_code == 401
    assert status(monolith, tokens["refreshToken"]) == 401


def test_after_a_log_out_an_access_token_holds_until_it_expires(attacked: Attacked) -> None:
    person = Person(attacked.shop)
    body = {"refreshToken": person.tokens["refreshToken"]}
    assert attacked.shop.http.post("/v1/authenticate:logout", json=body).status_code == 200
    assert attacked.shop.http.post("/v1/authenticate:refresh", json=body).status_code == 401
    # That is what is promised, and no more: docs/security.md says so.
    assert person.ask("GET", "/v1/users/me").status_code == 200
    assert person.tokens["expiresIn"] == 900


def attempt(shop: httpx.Client, email: str, password: str) -> httpx.Response:
    return shop.post("/v1/authenticate", json={"email": email, "password": password})


def guess_until_told_to_wait(shop: httpx.Client, email: str) -> Iterator[dict[str, Any]]:
    """Guess as fast as is allowed, until the wait is so long that no busy machine outlasts it."""
    while True:
        answer = attempt(shop, email, "wrong horse")
        problem = {"status": answer.status_code, **answer.json()}
        yield problem
        if answer.status_code == 429:
            seconds = problem["fields"]["retryAfterSeconds"]
            if seconds >= LONG_WAIT:
                return
            time.sleep(seconds)


def test_who_guesses_has_to_wait_and_learns_nothing_of_who_has_an_account(
    attacked: Attacked,
) -> None:
    person = Person(attacked.shop)
    unknown = f"{uuid.uuid4()}@example.org"
    seen = []
    for email in (unknown, person.account["email"]):
        told = list(guess_until_told_to_wait(attacked.shop.http, email))
        refused = next(at for at, each in enumerate(told) if each["status"] == 429)
        assert {each["error"] for each in told[:refused]} == {"InvalidCredentials"}
        assert {each["error"] for each in told[refused:]} <= {
            "InvalidCredentials",
            "TooManyAttempts",
        }
        seen.append([set(each) for each in told[:FREE]])
        assert refused >= FREE
    assert seen[0] == seen[1]
    # Not even the right password is looked at now.
    right = attempt(attacked.shop.http, **person.account)
    assert (right.status_code, right.json()["error"]) == (429, "TooManyAttempts")


def test_a_log_in_takes_as_long_without_an_account_as_with_a_wrong_password(
    monolith: Attacked,
) -> None:
    known = [Person(monolith.shop).account["email"] for _ in range(12)]
    unknown = [f"{uuid.uuid4()}@example.org" for _ in known]
    times: dict[bool, list[float]] = {True: [], False: []}
    # One attempt each, by turns: whatever else the machine does, it does to both.
    for pair in zip(known, unknown, strict=True):
        for email in pair:
            began = time.perf_counter()
            assert attempt(monolith.shop.http, email, "wrong horse").status_code == 401
            times[email in known].append(time.perf_counter() - began)
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    # Without a hash for those who have no account it would be ten or more.
    assert 1 / 3 < ratio < 3, ratio


def test_what_belongs_to_somebody_is_not_found_by_another(attacked: Attacked) -> None:
    ann, eve = Person(attacked.shop), Person(attacked.shop)
    cart = ann.ask("POST", "/v1/carts").json()["cartId"]
    sku = item_with_stock(attacked.shop, 2)["sku"]
    put = ann.ask("PUT", f"/v1/carts/{cart}/items/{sku}", json={"quantity": 1})
    assert put.status_code == 200
    key = {"idempotency-key": str(uuid.uuid4())}
    placed = ann.ask("POST", "/v1/orders", json={"cartId": cart}, headers=key)
    assert placed.status_code == 200, placed.text
    order = placed.json()["orderId"]
    chat = ann.ask("POST", "/v1/chats").json()["chatId"]
    message = {"messageId": "1", "text": "hello"}
    attacks: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/v1/carts/{cart}", {}),
        ("PUT", f"/v1/carts/{cart}/items/{sku}", {"json": {"quantity": 2}}),
        ("DELETE", f"/v1/carts/{cart}/items/{sku}", {}),
        ("POST", "/v1/orders", {"json": {"cartId": cart}, "headers": key}),
        ("GET", f"/v1/orders/{order}", {}),
        ("POST", f"/v1/orders/{order}:cancel", {}),
        ("GET", f"/v1/chats/{chat}", {}),
        ("POST", f"/v1/chats/{chat}/messages", {"json": message}),
        ("GET", f"/v1/chats/{chat}/messages", {}),
        ("GET", f"/v1/chats/{chat}:stream", {}),
        ("POST", f"/v1/chats/{chat}:close", {}),
    ]
    for verb, path, request in attacks:
        assert eve.ask(verb, path, **request).status_code == 404, (verb, path)
        stranger = attacked.shop.http.request(verb, path, **request).status_code
        assert stranger in {401, 404}, (verb, path)
    assert eve.see("/v1/orders")["orders"] == []
    # And nothing has come of it.
    assert ann.see(f"/v1/orders/{order}")["state"] == "ORDER_STATE_CONFIRMED"
    assert ann.see(f"/v1/chats/{chat}/messages")["entries"] == []


def test_a_role_that_somebody_gives_themselves_is_none(monolith: Attacked) -> None:
    person = Person(monolith.shop)
    assert person.ask("GET", "/v1/chats").status_code == 403
    for claim in ({"seam-roles": "agent"}, {"x-roles": "agent"}, {"x-forwarded-user": "root"}):
        assert person.ask("GET", "/v1/chats", headers=claim).status_code == 403


def test_the_name_of_a_service_in_a_header_lets_nobody_in(monolith: Attacked) -> None:
    # On a loopback the process's gRPC port believes it; its HTTP port never does.
    headers = dict(CALLED_BY_ORDERS)
    path = "/inventory.v1.Inventory/ReserveStock"
    for media_type in ("application/grpc", "application/grpc-web", "application/json"):
        answer = monolith.shop.http.post(
            path, content=b"\0\0\0\0\0", headers={**headers, "content-type": media_type}
        )
        assert answer.status_code == 404
    anybody = monolith.shop.http.get("/v1/orders", headers=headers)
    assert anybody.status_code == 401
