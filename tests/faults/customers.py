"""Customers who buy while things go wrong, and remember what they did and what they were told.

A request that gets no answer, or the answer that something is away, is sent again, as a person or a
careful client would: with the same idempotency key. Nobody gives up before `PATIENCE` is over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

PATIENCE: Final = 120.0
"""Seconds that a customer goes on asking."""

PAUSE: Final = 0.1
"""Seconds between two tries."""

_AWAY: Final = frozenset({429, 500, 502, 503, 504})


@dataclass
class Purchase:
    """What one customer did.

    Attributes:
        cart_id: the cart.
        bought: what was in the cart when it was ordered, by SKU.
        added: what was put into the cart afterwards.
        orders: the ids of the orders that the shop says it has made of the cart, by key.
        refused: what the shop said instead of making an order, by key.
    """

    cart_id: str = ""
    bought: dict[str, int] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class InconsistentAnswerError(AssertionError):
    """The shop has contradicted itself; the text says how."""


class Customers:
    """Many customers at once, who are drawn from a seed.

    Attributes:
        placed: how many have sent an order.
        purchases: what they did, once they are done.
    """

    def __init__(self, url: str, seed: int, skus: Sequence[str], scarce: Sequence[str]) -> None:
        """Let them buy.

        Args:
            url: where the shop is.
            seed: gives the same customers again.
            skus: what they buy.
            scarce: what they buy as well, and not all of them can have.
        """
        self._url = url
        self._random = random.Random(seed)
        self._skus = skus
        self._scarce = scarce
        self.placed = 0
        self.purchases: list[Purchase] = []

    async def buy(self, orders: int, at_a_time: int, moved: Callable[[int], object]) -> None:
        """Let customers buy, one order each.

        Args:
            orders: how many customers.
            at_a_time: how many of them at a time.
            moved: is told how many have sent an order, each time that one has.
        """
        customers = iter(range(orders))
        limits = httpx.Limits(max_connections=2 * at_a_time, max_keepalive_connections=at_a_time)
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=15.0, limits=limits) as shop,
            asyncio.TaskGroup() as group,
        ):

            async def work() -> None:
                for number in customers:
                    await self._visit(shop, number, moved)

            for _ in range(at_a_time):
                group.create_task(work())

    async def _visit(
        self, shop: httpx.AsyncClient, number: int, moved: Callable[[int], object]
    ) -> None:
        chosen = random.Random(self._random.getrandbits(64))
        purchase = Purchase()
        made = await _ask(shop, "POST", "/v1/carts")
        purchase.cart_id = made.json()["cartId"]
        wanted = chosen.sample(self._skus, chosen.randint(1, 3))
        if self._scarce and chosen.random() < 0.2:
            wanted.append(chosen.choice(self._scarce))
        for sku in wanted:
            quantity = chosen.randint(1, 3)
            path = f"/v1/carts/{purchase.cart_id}/items/{sku}"
            answer = await _ask(shop, "PUT", path, {"quantity": quantity})
            if answer.status_code == 200:
                purchase.bought[sku] = quantity
            elif answer.status_code != 400:
                # What is sold out cannot be put into a cart.
                raise InconsistentAnswerError(f"PUT {path}: {answer.status_code} {answer.text}")
        if not purchase.bought:
            return
        self.purchases.append(purchase)
        key = f"key-{number}-{chosen.getrandbits(32)}"
        self.placed += 1
        moved(self.placed)
        kind = chosen.random()
        if kind < 0.1:
            # Sends the order twice at once, as an impatient client does.
            await asyncio.gather(*(_order(shop, purchase, key) for _ in range(2)))
        elif kind < 0.15:
            # Buys the same cart in two windows.
            await asyncio.gather(_order(shop, purchase, key), _order(shop, purchase, key + "-b"))
        else:
            await _order(shop, purchase, key)
        order_id = purchase.orders.get(key)
        if order_id is None:
            return
        if kind > 0.95:
            await _ask(shop, "POST", f"/v1/orders/{order_id}:cancel", {})
        elif kind > 0.85:
            sku = chosen.choice(self._skus)
            path = f"/v1/carts/{purchase.cart_id}/items/{sku}"
            if sku not in purchase.bought:
                answer = await _ask(shop, "PUT", path, {"quantity": 1})
                if answer.status_code == 200:
                    purchase.added[sku] = 1
        # The same key again is the same order, whatever has happened meanwhile.
        await _order(shop, purchase, key)


async def _order(shop: httpx.AsyncClient, purchase: Purchase, key: str) -> None:
    answer = await _ask(shop, "POST", "/v1/orders", {"cartId": purchase.cart_id}, key)
    if answer.status_code == 200:
        order_id: str = answer.json()["orderId"]
        if purchase.orders.setdefault(key, order_id) != order_id or key in purchase.refused:
            raise InconsistentAnswerError(f"{key} has made two orders: {purchase.orders}")
    else:
        if key in purchase.orders:
            raise InconsistentAnswerError(f"{key} was an order, and now: {answer.text}")
        purchase.refused[key] = answer.text


async def _ask(
    shop: httpx.AsyncClient,
    verb: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    key: str = "",
) -> httpx.Response:
    """Ask until there is an answer.

    Raises:
        InconsistentAnswerError: there was none for too long.
    """
    headers = {"idempotency-key": key} if key else {}
    end = time.monotonic() + PATIENCE
    last = ""
    while time.monotonic() < end:
        try:
            answer = await shop.request(verb, path, json=body, headers=headers)
        except httpx.TransportError as error:
            last = repr(error)
        else:
            if answer.status_code not in _AWAY:
                return answer
            last = f"{answer.status_code} {answer.text}"
        await asyncio.sleep(PAUSE)
    raise InconsistentAnswerError(f"{verb} {path}: no answer in {PATIENCE:.0f} s; last: {last}")


async def details(url: str, order_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Orders with all that the shop tells of them, by id."""
    async with httpx.AsyncClient(base_url=url, timeout=15.0) as shop:
        return await _details(shop, order_ids)


async def _details(shop: httpx.AsyncClient, order_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    remaining = iter(list(order_ids))

    async def work() -> None:
        for order_id in remaining:
            found[order_id] = (await _ask(shop, "GET", f"/v1/orders/{order_id}")).json()

    await asyncio.gather(*(work() for _ in range(8)))
    return found


async def carts(url: str, cart_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """What carts hold, by id."""
    async with httpx.AsyncClient(base_url=url, timeout=15.0) as shop:
        found: dict[str, dict[str, int]] = {}
        for cart_id in cart_ids:
            answer = await _ask(shop, "GET", f"/v1/carts/{cart_id}")
            found[cart_id] = {line["sku"]: line["quantity"] for line in answer.json()["lines"]}
        return found
