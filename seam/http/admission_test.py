"""Who is counted, under what, and how a request beyond the limit is refused."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest

from seam.http.admission import admitted
from seam.http.client_address import ClientAddresses, subscriber
from seam.http.gateway import gateway
from seam.http.rate import Rate
from seam.http.rate_limits.limiter import Limiter, Limiters
from seam.http.rate_limits.local import LocalLimiter
from seam.http.settings import DEFAULT_HTTP_SETTINGS
from seam.testing.issuer import TestIssuer

ISSUER = TestIssuer()


class Asked:
    """An application behind limits, and what it was asked."""

    def __init__(self, *proxies: str, amount: int = 2, of_principals: int = 0) -> None:
        limiters = Limiters(
            by_address=self.limiter("address", amount),
            by_principal=self.limiter("principal", of_principals) if of_principals else None,
        )
        addresses = behind(*proxies)
        door = admitted(self._answer, ISSUER.authenticator(), limiters, addresses)
        self._app = gateway(door, DEFAULT_HTTP_SETTINGS)
        self.times = 0

    def limiter(self, name: str, amount: int) -> Limiter:
        return LocalLimiter(name, Rate(amount, 86_400))

    async def _answer(self, _: Any, __: Any, send: Any) -> None:
        self.times += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def __call__(
        self, client: str = "192.0.2.1", *forwarded: str, path: str = "/v1", token: str = ""
    ) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "client": (client, 1) if client else None,
            "headers": [
                *((b"x-forwarded-for", each.encode("latin-1")) for each in forwarded),
                *([(b"authorization", f"Bearer {token}".encode())] if token else []),
            ],
        }
        await self._app(scope, lambda: None, send)  # type: ignore[arg-type, return-value]
        return sent

    async def status(self, *client: str, path: str = "/v1", token: str = "") -> int:
        status: int = (await self(*client, path=path, token=token))[0]["status"]
        return status


class AskedOfAStore(Asked):
    """The same behind limits that wait for a store."""

    def limiter(self, name: str, amount: int) -> Limiter:
        return Stored(super().limiter(name, amount))


class Stored:
    """A limiter of which nothing but `hit` is known."""

    def __init__(self, limiter: Limiter) -> None:
        self.hit = limiter.hit


def behind(*proxies: str) -> ClientAddresses:
    return ClientAddresses([ip_network(each) for each in proxies])


@pytest.mark.parametrize("asked_of", [Asked, AskedOfAStore])
async def test_a_request_beyond_the_limit_is_a_problem_that_says_when_to_come_again(
    asked_of: type[Asked],
) -> None:
    asked = asked_of()
    assert [await asked.status() for _ in range(3)] == [200, 200, 429]
    start, body = await asked()
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert headers["content-type"] == "application/problem+json"
    assert headers["ratelimit-policy"] == '"address";q=2;w=86400'
    assert headers["ratelimit"] == f'"address";r=0;t={headers["retry-after"]}'
    assert 0 < int(headers["retry-after"]) <= 2 * 86_400
    assert json.loads(body["body"])["code"] == "RESOURCE_EXHAUSTED"
    assert asked.times == 2
    assert await asked.status("192.0.2.2") == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_who_looks_after_the_process_is_not_counted(path: str) -> None:
    asked = Asked()
    assert [await asked.status(path=path) for _ in range(9)] == [200] * 9


async def test_addresses_that_a_client_makes_up_do_not_help_it() -> None:
    asked = Asked()
    statuses = [
        await asked.status("192.0.2.1", f"10.0.{at % 256}.{at >> 8}") for at in range(5_000)
    ]
    assert statuses == [200] * 2 + [429] * 4_998
    # Nor before a trusted proxy, which adds what it sees.
    asked = Asked("10.0.0.0/8")
    statuses = [await asked.status("10.0.0.1", f"1.2.3.{at % 256}, 192.0.2.1") for at in range(9)]
    assert statuses == [200] * 2 + [429] * 7


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7, 10.0.0.9"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8:1:2::3]:4711"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::3"], "2001:db8:1:2::/64"),
        (["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        ([], "10.0.0.1"),
        (["unknown"], "10.0.0.1"),
        (["203.0.113.7, "], "10.0.0.1"),
        (["203.0.113.7\0"], "10.0.0.1"),
        (["," * 60_000], "10.0.0.1"),
        (["9" * 60_000], "10.0.0.1"),
        (["\xff"], "10.0.0.1"),
        ([", ".join(["1.1.1.1"] * 5_000 + ["203.0.113.7"])], "203.0.113.7"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_client(
    forwarded: list[str], expected: str
) -> None:
    scope: Any = {
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded],
    }
    assert behind("10.0.0.0/8").subscriber(scope) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_a_subscriber_of_ipv6_is_one_client(address: str, expected: str) -> None:
    assert subscriber(address) == expected


@pytest.mark.parametrize("asked_of", [Asked, AskedOfAStore])
async def test_a_principal_is_counted_wherever_it_comes_from_and_nobody_is_not(
    asked_of: type[Asked],
) -> None:
    asked = asked_of(amount=100, of_principals=2)
    ada, bob = ISSUER.token("ada"), ISSUER.token("bob")
    assert [await asked.status(f"192.0.2.{at}", token=ada) for at in range(3)] == [200, 200, 429]
    # Another token of hers is no new allowance.
    assert await asked.status(token=ISSUER.token("ada", ["agent"])) == 429
    assert await asked.status(token=bob) == 200
    assert [await asked.status() for _ in range(4)] == [200] * 4


async def test_what_an_address_may_not_ask_is_refused_before_its_token_is_looked_at() -> None:
    asked = Asked(amount=1)
    assert await asked.status(token="nonsense") == 401
    assert await asked.status(token="nonsense") == 429
    assert asked.times == 0
