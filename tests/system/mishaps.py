"""What goes wrong in a shop without anybody's doing, so that its people have something to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.system.topologies import Shop

__all__ = ["broken", "hurry", "publish_garbled", "put_off"]

LATER: Final = 100_000_000
"""Microseconds until an order is tried again by itself: when a test has long ended."""


@contextmanager
def broken(shop: Shop, service: str, what: str) -> Iterator[None]:
    """Let a statement fail in the database of a service, as a defect would.

    Args:
        shop: the shop.
        service: the service.
        what: when a trigger fires, in SQLite's words.
    """
    name = f"broken_{uuid.uuid4().hex}"
    with shop.database(service) as database:
        trigger = f"CREATE TRIGGER {name} {what} BEGIN SELECT RAISE(ABORT, 'broken'); END"
        database.execute(trigger)
    try:
        yield
    finally:
        with shop.database(service) as database:
            database.execute(f"DROP TRIGGER {name}")


def put_off(shop: Shop, order_id: str, age: int = 0) -> bool:
    """Let an order that has failed wait for long; False when it has not failed yet.

    Args:
        shop: the shop.
        order_id: the order.
        age: microseconds by which it seems to be older.
    """
    with shop.database("orders") as database:
        changed = database.execute(
            "UPDATE saga SET due_at = due_at + ?, started_at = started_at - ? "
            "WHERE id = ? AND holder = '' AND attempts > 0",
            (LATER, age, order_id),
        )
        return changed.rowcount == 1


def hurry(shop: Shop, cart_id: str) -> bool:
    """Let the next attempt of an event that has failed be its last, at once."""
    with shop.database("shopping_cart") as database:
        changed = database.execute(
            "UPDATE parked_event SET attempts = 7, next_attempt = 0 "
            "WHERE key = ? AND NOT dead AND attempts > 0",
            (cart_id,),
        )
        return changed.rowcount == 1


def publish_garbled(shop: Shop) -> str:
    """Let orders publish an event that nobody can read; gives its identity."""
    event_id = str(uuid.uuid4())
    with shop.database("orders") as database:
        database.execute(
            "INSERT INTO outbox (partition, delivered, id, type, key, time, traceparent, data) "
            "VALUES (0, 0, ?, 'orders.v1.OrderConfirmed', 'garbled', 1700000000000000, '', ?)",
            (event_id, b"\xff"),
        )
    return event_id
