"""Who asks over HTTP is who its token says, and whoever proves it badly is told so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.types import ASGIApp

from seam.auth import NO_ISSUER, Authenticator
from seam.call import ANONYMOUS, Principal, current_principal
from seam.contract import Code, StatusError
from seam.http import application
from seam.http.admission import admitted
from seam.http.client_address import ClientAddresses
from seam.http.gateway import gateway
from seam.http.problem import exception_handlers
from seam.http.rate_limits.limiter import UNLIMITED
from seam.http.routing import as_sent
from seam.http.settings import DEFAULT_HTTP_SETTINGS
from seam.testing.issuer import TestIssuer

ISSUER = TestIssuer()


@get("/who")
async def who() -> Response[bytes]:
    principal = current_principal()
    return Response(f"{principal.subject}:{','.join(sorted(principal.roles))}".encode())


@get("/members")
async def members() -> Response[bytes]:
    if current_principal() is ANONYMOUS:
        raise StatusError(Code.UNAUTHENTICATED, "sign in first")
    raise StatusError(Code.PERMISSION_DENIED, "needs the role agent")


def app(authenticator: Authenticator) -> ASGIApp:
    plain = Litestar(
        [who, members],
        exception_handlers=exception_handlers({}),
        openapi_config=None,
        logging_config=None,
    )
    door = admitted(as_sent(plain), authenticator, UNLIMITED, ClientAddresses(()))
    return gateway(door, DEFAULT_HTTP_SETTINGS)


async def ask(
    path: str,
    *authorization: str | bytes,
    to: Callable[[Authenticator], ASGIApp] = app,
    authenticator: Authenticator | None = None,
) -> httpx.Response:
    transport = httpx.ASGITransport(to(authenticator or ISSUER.authenticator()))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = [("authorization", each) for each in authorization]
        return await client.get(path, headers=headers)  # type: ignore[arg-type]


async def test_who_asks_is_who_the_token_says() -> None:
    for scheme in ("Bearer ", "bearer ", "BEARER   "):
        answer = await ask("/who", scheme + ISSUER.token("zoe", ["agent"]))
        assert (answer.status_code, answer.text) == (200, "zoe:agent")
    assert (await ask("/who")).text == ":"


@pytest.mark.parametrize(
    "authorization",
    [
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Basic em9lOnNlY3JldA=="],
        ["Bearer a b"],
        ["Bearer a.b.c"],
        ["Bearer a.b.c, Bearer a.b.c"],
        [ISSUER.token()],
        [f"Bearer {ISSUER.token()},"],
        [f"Bearer {ISSUER.token()}", f"Bearer {ISSUER.token()}"],
        [f"Bearer {ISSUER.token()}", ""],
        [f"Bearer {TestIssuer().token()}"],
        [f"Bearer {ISSUER.token(seconds=-100)}"],
        [f"Bearer {'a' * 60_000}"],
        [b"Bearer \xff\xfe"],
        [b"Bearer\x00a.b.c"],
        [b"Bearer\ta.b.c"],
    ],
)
async def test_what_proves_nothing_is_refused_and_told_how(
    authorization: list[str | bytes],
) -> None:
    answer = await ask("/who", *authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "UNAUTHENTICATED"
    assert len(answer.content) < 1_000


async def test_who_is_not_signed_in_is_told_to_and_who_is_not_allowed_is_told_that() -> None:
    answer = await ask("/members")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    answer = await ask("/members", f"Bearer {ISSUER.token()}")
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")
    assert "www-authenticate" not in answer.headers


async def test_without_an_issuer_a_token_is_refused_and_everything_else_goes_on() -> None:
    answer = await ask("/who", f"Bearer {ISSUER.token()}", authenticator=NO_ISSUER)
    assert (answer.status_code, "nobody issues them" in answer.text) == (401, True)
    assert (await ask("/who", authenticator=NO_ISSUER)).status_code == 200


async def test_keys_that_are_not_there_make_it_a_matter_of_later() -> None:
    class Away:
        def known(self, _: str) -> Principal | None:
            return None

        async def verify(self, _: str) -> Principal:
            raise StatusError(Code.UNAVAILABLE, "tokens cannot be verified at present")

    answer = await ask("/who", f"Bearer {ISSUER.token()}", authenticator=Away())
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")


async def test_health_and_documents_ask_nobody() -> None:
    async def ready() -> Mapping[str, Any]:
        return {"ready": True}

    def whole(authenticator: Authenticator) -> ASGIApp:
        return application([], _no_channel, ready, title="test", authenticator=authenticator)

    for path in ("/healthz", "/readyz", "/metrics", "/schema", "/schema/asyncapi.json"):
        assert (await ask(path, "Basic em9lOnNlY3JldA==", to=whole)).status_code == 200
    assert (await ask("/elsewhere", "Basic em9lOnNlY3JldA==", to=whole)).status_code == 401


def _no_channel(_: object) -> Any:
    raise AssertionError
