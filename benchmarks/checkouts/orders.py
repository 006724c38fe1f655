"""Carts that are filled, and the orders that buy them, by a customer who is signed in."""

from __future__ import annotations

import asyncio
import json
import random
import time
from itertools import count
from typing import Any, Final

from benchmarks.checkouts.systems import ITEMS
from benchmarks.routes.catalogue import sku
from benchmarks.routes.load import RefusedError, ask, send_once
from benchmarks.routes.requests import get, request

LINES: Final = 2
"""Items in a cart."""

PATIENCE: Final = 60.0
"""Seconds that a shop has to come back."""

_CONFIRMED: Final = "ORDER_STATE_CONFIRMED"
_PENDING: Final = "ORDER_STATE_PENDING"
_READY: Final = get("/readyz")

_CUSTOMER: Final = {"email": "customer@example.org", "password": "benchmark"}

_keys = count()
_registered: set[str] = set()


class NotConfirmedError(Exception):
    """An order has come to nothing; has what the shop said of it."""


async def ready(address: str) -> None:
    """Wait until `/readyz` says that everything answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            await ask(address, [_READY])
        except (RefusedError, OSError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.02)
        else:
            return


async def orders(address: str, number: int) -> list[bytes]:
    """Fill so many carts; gives requests that order them."""
    chance = random.Random(1)
    token = await signed_in(address)
    made = await ask(address, [request("POST", "/v1/carts", {}, token)] * number)
    carts = [json.loads(body)["cartId"] for body in made]
    puts = [
        request("PUT", f"/v1/carts/{cart}/items/{sku(item)}", {"quantity": 1}, token)
        for cart in carts
        for item in chance.sample(range(ITEMS), LINES)
    ]
    await ask(address, puts)
    return [
        request("POST", "/v1/orders", {"cartId": cart}, token, f"key-{next(_keys)}")
        for cart in carts
    ]


def check(bodies: list[bytes]) -> None:
    """See that all orders were confirmed.

    Raises:
        NotConfirmedError: one was not.
    """
    for body in bodies:
        if json.loads(body)["state"] != _CONFIRMED:
            raise NotConfirmedError(body.decode())


async def until_confirmed(address: str, order: bytes) -> None:
    """Send an order again and again, until it is confirmed."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            _, bodies = await send_once(address, [order], 1)
            check(bodies)
        except (OSError, RefusedError, NotConfirmedError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.01)
        else:
            return


async def until_ended(address: str) -> None:
    """Wait until no order is under way any more."""
    until = time.monotonic() + PATIENCE
    token = await signed_in(address)
    while any(order["state"] == _PENDING for order in await _newest(address, token)):
        if time.monotonic() > until:
            raise NotConfirmedError("orders are under way for ever")
        await asyncio.sleep(0.05)


async def signed_in(address: str) -> str:
    """An access token of the customer, who registers the first time."""
    if address not in _registered:
        await ask(address, [request("POST", "/v1/users", _CUSTOMER)])
        _registered.add(address)
    (tokens,) = await ask(address, [request("POST", "/v1/authenticate", _CUSTOMER)])
    access_token: str = json.loads(tokens)["accessToken"]
    return access_token


async def _newest(address: str, token: str) -> list[dict[str, Any]]:
    (body,) = await ask(address, [get("/v1/orders?pageSize=200", token)])
    found: list[dict[str, Any]] = json.loads(body)["orders"]
    return found
