from __future__ import annotations

from datetime import UTC, datetime

from seam.sagas import Happening
from services.orders.domain.timeline import timeline
from services.orders.records.api import OrderEvent, OrderState


def events(state: OrderState, *happenings: tuple[str, str]) -> list[OrderEvent]:
    history = [Happening(at, step, event) for at, (step, event) in enumerate(happenings)]
    return [entry.event for entry in timeline(0, history, state)]


def test_a_timeline_begins_when_the_order_was_placed() -> None:
    (entry,) = timeline(1_700_000_000_123_456, [], OrderState.PENDING)
    assert entry.event is OrderEvent.PLACED
    assert entry.at == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


def test_a_checkout_is_told_step_by_step() -> None:
    assert events(
        OrderState.CONFIRMED,
        ("reserve stock", "failed"),
        ("reserve stock", "done"),
        ("take payment", "done"),
        ("", "completed"),
    ) == [
        OrderEvent.PLACED,
        OrderEvent.DELAYED,
        OrderEvent.STOCK_RESERVED,
        OrderEvent.PAYMENT_TAKEN,
        OrderEvent.CONFIRMED,
    ]


def test_what_is_undone_ends_as_the_order_does() -> None:
    undone = (("take payment", "undone"), ("reserve stock", "undone"), ("", "compensated"))
    assert events(OrderState.CANCELLED, ("", "stopped"), ("", "compensating"), *undone) == [
        OrderEvent.PLACED,
        OrderEvent.CANCEL_REQUESTED,
        OrderEvent.PAYMENT_VOIDED,
        OrderEvent.STOCK_RELEASED,
        OrderEvent.CANCELLED,
    ]
    assert events(OrderState.REJECTED, *undone)[-1] is OrderEvent.REJECTED


def test_what_a_later_version_tells_is_left_out() -> None:
    assert events(OrderState.PENDING, ("ship", "done"), ("", "paused")) == [OrderEvent.PLACED]
