"""Lets customers buy while things go wrong as scheduled, then lets all come to rest, and audits."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import nats

from services.orders.records.api import OrderState
from tests.faults.audit import Books, audit
from tests.faults.customers import Customers, InconsistentAnswerError, carts, details
from tests.faults.parts import SERVICES, System
from tests.faults.schedule import Event, Fault, draw
from tests.faults.systems import SYSTEMS

SEED: Final = 20261124
"""What tests play."""

SETTLING: Final = 150.0
"""Seconds that orders and events have to come to rest, once nothing goes wrong any more."""

STEP_PATIENCE: Final = 5.0
"""Seconds to wait for a process to pass a step; some are passed by few orders."""

SCARCE: Final = 30
"""Units in stock up to which an item is one that not all can have."""


async def play(
    system_name: str,
    directory: Path,
    *,
    seed: int,
    orders: int,
    faults: int,
    at_a_time: int,
    tell: Callable[[str], object],
) -> list[str]:
    """Run one system through one schedule.

    Args:
        system_name: one of `SYSTEMS`.
        directory: an empty directory for everything that it writes.
        seed: gives the same customers and the same schedule again.
        orders: how many customers place an order.
        faults: how many faults happen meanwhile.
        at_a_time: how many customers there are at a time.
        tell: is told what happens.

    Returns:
        What the audit has found wrong; nothing when all is well.
    """
    async with SYSTEMS[system_name](directory) as system:
        schedule = draw(seed, orders, faults, system.possible, system.steps)
        stock = await _stock(system.url)
        plenty = sorted(sku for sku, units in stock.items() if units > SCARCE)
        scarce = sorted(sku for sku, units in stock.items() if 0 < units <= SCARCE)
        customers = Customers(
            system.url, seed, random.Random(seed).sample(plenty, min(40, len(plenty))), scarce[:10]
        )
        keeper = _Keeper(system, schedule, tell)
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(keeper.keep())
            await customers.buy(orders, at_a_time, keeper.moved)
            keeper.finished()
            await keeping
        tell(f"{customers.placed} orders were sent, {keeper.happened} faults happened")
        orders_at_rest = await _settled(system)
        tell(f"{len(orders_at_rest)} orders have come to their ends")
        # Events are delivered some time after the orders have ended.
        end = time.monotonic() + SETTLING
        while True:
            wrong = audit(await _books(system, customers, stock, orders_at_rest))
            if not wrong or time.monotonic() > end:
                return wrong
            await asyncio.sleep(1.0)


async def play_as_in_tests(system_name: str, directory: Path) -> tuple[list[str], list[str]]:
    """Run one system through the schedule that tests have; see `play`.

    Each system has a test file of its own, so that they run side by side.

    Returns:
        What the audit has found wrong, and what has happened.
    """
    told: list[str] = [f"seed {SEED}"]
    wrong = await play(
        system_name, directory, seed=SEED, orders=300, faults=14, at_a_time=24, tell=told.append
    )
    return wrong, told


async def _settled(system: System) -> dict[str, dict[str, Any]]:
    """Wait until every order has ended, and give all of them.

    Customers who are not signed in are shown no lists, so the database says which orders there are.

    Raises:
        InconsistentAnswerError: one has not ended in time.
    """
    end = time.monotonic() + SETTLING
    while True:
        rows = system.rows("orders", "SELECT order_id, state FROM {schema}placed_order")
        open_ = [order_id for order_id, state in rows if state in _OPEN]
        if not open_:
            return await details(system.url, [order_id for order_id, _ in rows])
        if time.monotonic() > end:
            raise InconsistentAnswerError(f"{len(open_)} orders have no end, as {open_[0]}")
        await asyncio.sleep(0.5)


_OPEN: Final = frozenset({OrderState.PENDING.value, OrderState.CANCELLING.value})


class _Keeper:
    """Makes faults happen when they are due, and starts again what has ended."""

    def __init__(
        self, system: System, schedule: list[Event], tell: Callable[[str], object]
    ) -> None:
        self._system = system
        self._due = schedule
        self._tell = tell
        self._moved = asyncio.Event()
        self._placed = 0
        self._is_finished = False
        self.happened = 0

    def moved(self, placed: int) -> None:
        self._placed = placed
        self._moved.set()

    def finished(self) -> None:
        self._is_finished = True
        self._moved.set()

    async def keep(self) -> None:
        for event in self._due:
            while self._placed < event.after and not self._is_finished:
                self._moved.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), 1.0)
            if self._is_finished:
                break
            self._tell(str(event))
            await self._happen(event)
            self.happened += 1
            for name, part in self._system.parts.items():
                if not part.is_running:
                    self._tell(f"starting {name} again")
                    await asyncio.to_thread(part.start)

    async def _happen(self, event: Event) -> None:
        if event.target == "database":
            await self._server(event, self._system.postgres)
        elif event.target == "broker":
            await self._broker(event)
        elif event.fault is Fault.MOVE:
            assert self._system.move is not None
            await asyncio.to_thread(self._system.move)
        else:
            await self._process(event)

    async def _process(self, event: Event) -> None:
        part = self._system.parts[event.target]
        if event.fault is Fault.KILL:
            await asyncio.to_thread(part.kill)
        elif event.fault is Fault.KILL_AT_STEP:
            await asyncio.to_thread(part.ends_at.write_text, event.step)
            for _ in range(int(STEP_PATIENCE / 0.05)):
                if not part.is_running:
                    return
                await asyncio.sleep(0.05)
            part.ends_at.unlink(missing_ok=True)
            self._tell(f"{event.target} did not pass '{event.step}'")
        elif event.fault is Fault.FREEZE:
            part.signal(signal.SIGSTOP)
            await asyncio.sleep(event.seconds)
            part.signal(signal.SIGCONT)
        elif event.fault is Fault.FILL_DISK:
            part.limit_files(4096)
            await asyncio.sleep(event.seconds)
            part.limit_files(-1)

    async def _broker(self, event: Event) -> None:
        nats, proxy = self._system.nats, self._system.proxy
        assert nats is not None
        assert proxy is not None
        if event.fault is Fault.DELAY:
            proxy.delay = 0.05
            await asyncio.sleep(event.seconds)
            proxy.delay = 0.0
        elif event.fault is Fault.DUPLICATE:
            await publish_again(nats.url)
        else:
            await self._server(event, nats)

    async def _server(self, event: Event, server: Any) -> None:
        if event.fault is Fault.FREEZE:
            server.freeze()
            await asyncio.sleep(event.seconds)
            server.thaw()
            return
        end = server.kill if event.fault is Fault.CRASH else _shut_down(server)
        await asyncio.to_thread(end)
        await asyncio.sleep(event.seconds)
        await asyncio.to_thread(server.start)


def _shut_down(server: Any) -> Any:
    return getattr(server, "shut_down", None) or server.stop


async def publish_again(url: str) -> int:
    """Publish every event that the broker holds once more, as events of their own.

    Returns:
        How many there were.
    """
    connection = await nats.connect(url)
    try:
        streams = connection.jetstream()
        count = 0
        for stream in await streams.streams_info():
            name = stream.config.name
            assert name is not None
            last = stream.state.last_seq
            for sequence in range(max(stream.state.first_seq, last - 200), last + 1):
                message = await streams.get_msg(name, sequence)
                assert message.subject is not None
                headers = {
                    key: value
                    for key, value in (message.headers or {}).items()
                    if not key.startswith("Nats-")
                }
                await streams.publish(message.subject, message.data or b"", headers=headers)
                count += 1
        return count
    finally:
        await connection.close()


async def _stock(url: str) -> dict[str, int]:
    """Units in stock of every item, by SKU."""
    found: dict[str, int] = {}
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as shop:
        token = ""
        while True:
            answer = await shop.get(f"/v1/inventory?pageSize=200&pageToken={token}")
            page = answer.raise_for_status().json()
            found |= {item["sku"]: item["stock"] for item in page["items"]}
            token = page["nextPageToken"]
            if not token:
                return found


async def _books(
    system: System,
    customers: Customers,
    stock_before: Mapping[str, int],
    orders: Mapping[str, Mapping[str, Any]],
) -> Books:
    reserved: dict[str, dict[str, int]] = {}
    for reservation_id, sku, quantity in system.rows("inventory", _RESERVED):
        reserved.setdefault(reservation_id, {})[sku] = quantity
    return Books(
        purchases=customers.purchases,
        orders=orders,
        money=system.money(),
        stock_before=stock_before,
        stock_after=await _stock(system.url),
        reserved=reserved,
        carts=await carts(system.url, [each.cart_id for each in customers.purchases]),
        undelivered=_undelivered(system),
    )


_RESERVED: Final = (
    "SELECT line.reservation_id, line.sku, line.quantity FROM {schema}reservation_line AS line "
    "JOIN {schema}reservation AS held ON held.reservation_id = line.reservation_id "
    "WHERE NOT held.released"
)


def _undelivered(system: System) -> list[str]:
    found = []
    for service in SERVICES:
        for table in _EVENT_TABLES.get(service, ()):
            rows = system.rows(service, f"SELECT id, type FROM {{schema}}{table}")
            found += [f"{table} of {service}: {kind} {event_id}" for event_id, kind in rows]
    return found


_EVENT_TABLES: Final = {"orders": ("outbox",), "shopping_cart": ("parked_event",)}
"""Where events wait to be delivered, or for somebody to look at them."""
