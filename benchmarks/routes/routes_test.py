from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.routes import requests
from benchmarks.routes.load import RefusedError, ask, send
from benchmarks.routes.requests import prepare
from benchmarks.routes.systems import PLAIN, SHOP, applications
from benchmarks.servers import Server

SIZE = 300


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Server]]:
    with applications(SIZE, tmp_path_factory.mktemp("shop"), None) as running:
        yield running


async def test_both_applications_give_the_same_answers(servers: Mapping[str, Server]) -> None:
    answers = {}
    for name, server in servers.items():
        routes = await prepare(server.address, SIZE)
        given = {route.name: await ask(server.address, [*route.requests[:1]]) for route in routes}
        answers[name] = {route: json.loads(body) for route, (body,) in given.items()}
    plain, shop = answers[PLAIN], answers[SHOP]
    assert plain[requests.ITEM] == shop[requests.ITEM]
    # Page tokens are each application's own.
    assert plain[requests.PAGE_OF_50]["items"] == shop[requests.PAGE_OF_50]["items"]
    assert plain[requests.SEARCH]["items"] == shop[requests.SEARCH]["items"]
    for route in (requests.CART, requests.SET_QUANTITY, requests.NEW_CART):
        assert _shape(plain[route]) == _shape(shop[route])


async def test_a_refusal_ends_the_load(servers: Mapping[str, Server]) -> None:
    for server in servers.values():
        missing = b"GET /v1/inventory/NO-SUCH-SKU HTTP/1.1\r\nHost: shop\r\n\r\n"
        with pytest.raises(RefusedError, match="404"):
            await send(server.address, [missing], 10)


def test_the_cpu_of_a_server_is_its_own(servers: Mapping[str, Server]) -> None:
    stat = Path(f"/proc/{servers[SHOP].pid}/stat").read_text(encoding="ascii").split()
    assert servers[SHOP].cpu() == pytest.approx((int(stat[13]) + int(stat[14])) / 100, abs=0.1)


def _shape(answer: Any) -> Any:
    """An answer without its values, and lists without what comes after the first."""
    if isinstance(answer, dict):
        return {key: _shape(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_shape(value) for value in answer[:1]]
    return type(answer).__name__
