"""What is asked: many different items, searches and carts, the same for both applications."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from benchmarks.routes.catalogue import MATERIALS, THINGS, sku
from benchmarks.routes.load import ask

CARTS: Final = 100
MAXIMUM_LINES: Final = 5
DISTINCT: Final = 5_000
"""Requests of a route, before they are repeated."""

PAGE: Final = 50
PAGES: Final = 40

ITEM: Final = "one item"
PAGE_OF_50: Final = "a page of 50"
SEARCH: Final = "a search by two words"
CART: Final = "read a cart"
SET_QUANTITY: Final = "set a quantity"
NEW_CART: Final = "new cart"


@dataclass(frozen=True)
class Route:
    """One route under load.

    Attributes:
        name: what the report calls it.
        requests: the requests that are sent, over and over.
    """

    name: str
    requests: Sequence[bytes]


async def prepare(address: str, size: int, token: str = "") -> list[Route]:
    """Fill carts, and make the requests of all routes.

    Args:
        address: HOST:PORT of the application.
        size: how many items its catalogue has.
        token: of the customer who asks; "" for one who is not signed in.
    """
    chance = random.Random(1)
    new_cart = request("POST", "/v1/carts", {}, token)
    created = await ask(address, [new_cart] * CARTS)
    carts = [json.loads(body)["cartId"] for body in created]
    lines = [
        (cart, sku(number))
        for cart in carts
        for number in chance.sample(range(size), chance.randint(1, MAXIMUM_LINES))
    ]
    await ask(address, [_setting(cart, item, chance, token) for cart, item in lines])
    return [
        Route(
            ITEM,
            [get(f"/v1/inventory/{_any_sku(chance, size)}", token) for _ in range(DISTINCT)],
        ),
        Route(
            PAGE_OF_50,
            [
                get(f"/v1/inventory?{urlencode(page)}", token)
                for page in await _pages(address, chance, size)
            ],
        ),
        Route(
            SEARCH,
            [
                get(
                    f"/v1/inventory?query={chance.choice(MATERIALS)}%20{chance.choice(THINGS)}",
                    token,
                )
                for _ in range(DISTINCT)
            ],
        ),
        Route(CART, [get(f"/v1/carts/{chance.choice(carts)}", token) for _ in range(DISTINCT)]),
        Route(
            SET_QUANTITY,
            [_setting(*chance.choice(lines), chance, token) for _ in range(DISTINCT)],
        ),
        Route(NEW_CART, [new_cart]),
    ]


async def _pages(address: str, chance: random.Random, size: int) -> list[dict[str, str]]:
    """Queries of pages all over the catalogue, as a client comes by them: from page to page."""
    pages = [{"pageSize": str(PAGE)}]
    for _ in range(min(size // PAGE, PAGES) - 1):
        (body,) = await ask(address, [get(f"/v1/inventory?{urlencode(pages[-1])}")])
        pages.append({"pageSize": str(PAGE), "pageToken": json.loads(body)["nextPageToken"]})
    chance.shuffle(pages)
    return pages


def _any_sku(chance: random.Random, size: int) -> str:
    return sku(chance.randrange(size))


def _setting(cart: str, item: str, chance: random.Random, token: str) -> bytes:
    quantity = {"quantity": chance.randint(1, 9)}
    return request("PUT", f"/v1/carts/{cart}/items/{item}", quantity, token)


def get(path: str, token: str = "") -> bytes:
    """A whole request without a body.

    Args:
        path: the path, with the query.
        token: of the customer who asks, if one is signed in.
    """
    lines = [f"GET {path} HTTP/1.1", "Host: shop", *_authorization(token)]
    return "\r\n".join([*lines, "", ""]).encode()


def request(method: str, path: str, body: object, token: str = "", key: str = "") -> bytes:
    """A whole request with a body.

    Args:
        method: such as POST.
        path: the path, with the query.
        body: becomes JSON.
        token: of the customer who asks, if one is signed in.
        key: the idempotency key, if there is one.
    """
    content = json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: shop",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *_authorization(token),
        *([f"Idempotency-Key: {key}"] if key else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _authorization(token: str) -> list[str]:
    return [f"Authorization: Bearer {token}"] if token else []
