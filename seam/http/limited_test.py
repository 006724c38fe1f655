"""Who is counted, under what, and how a request beyond the limit is refused."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest

from seam.call import Principal, call_scope
from seam.http.client_address import ClientAddresses, subscriber
from seam.http.limited import by_address, by_principal, limited
from seam.http.rate import Rate
from seam.http.rate_limits.local import LocalLimiter


class Asked:
    """An application behind a limit, and what it was asked."""

    def __init__(self, key_of: Any, amount: int = 2) -> None:
        limiter = LocalLimiter("address", Rate(amount, 86_400))
        self._app = limited(self._answer, limiter, key_of)
        self.times = 0

    async def _answer(self, _: Any, __: Any, send: Any) -> None:
        self.times += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def __call__(
        self, client: str = "192.0.2.1", *forwarded: str, path: str = "/v1", kind: str = "http"
    ) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": kind,
            "path": path,
            "client": (client, 1) if client else None,
            "headers": [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded],
        }
        await self._app(scope, lambda: None, send)  # type: ignore[arg-type, return-value]
        return sent

    async def status(self, *client: str, path: str = "/v1") -> int:
        status: int = (await self(*client, path=path))[0]["status"]
        return status


def behind(*proxies: str) -> Any:
    return by_address(ClientAddresses([ip_network(each) for each in proxies]))


async def test_a_request_beyond_the_limit_is_a_problem_that_says_when_to_come_again() -> None:
    asked = Asked(behind())
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
    asked = Asked(behind())
    assert [await asked.status(path=path) for _ in range(9)] == [200] * 9


async def test_a_websocket_beyond_the_limit_is_not_opened() -> None:
    asked = Asked(behind(), amount=1)
    await asked(kind="websocket")
    [message] = await asked(kind="websocket")
    assert (message["type"], message["code"]) == ("websocket.close", 1013)


async def test_addresses_that_a_client_makes_up_do_not_help_it() -> None:
    asked = Asked(behind())
    statuses = [
        await asked.status("192.0.2.1", f"10.0.{at % 256}.{at >> 8}") for at in range(5_000)
    ]
    assert statuses == [200] * 2 + [429] * 4_998
    # Nor before a trusted proxy, which adds what it sees.
    asked = Asked(behind("10.0.0.0/8"))
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
    assert behind("10.0.0.0/8")(scope) == expected


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


async def test_a_principal_is_counted_wherever_it_comes_from_and_nobody_is_not() -> None:
    asked = Asked(by_principal)
    with call_scope(principal=Principal("ada", frozenset(), "token")):
        assert [await asked.status(f"192.0.2.{at}") for at in range(3)] == [200, 200, 429]
    with call_scope(principal=Principal("bob", frozenset(), "token")):
        assert await asked.status() == 200
    assert [await asked.status() for _ in range(4)] == [200] * 4
