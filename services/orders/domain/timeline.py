"""What has happened to an order, told by what has happened to its checkout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from seam.sagas import Happening
from services.orders.records.api import OrderEvent, OrderState, TimelineEntry

RESERVE_STOCK: Final = "reserve stock"
TAKE_PAYMENT: Final = "take payment"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_OF_STEPS: Final = {
    (RESERVE_STOCK, "done"): OrderEvent.STOCK_RESERVED,
    (RESERVE_STOCK, "refused"): OrderEvent.STOCK_REFUSED,
    (RESERVE_STOCK, "undone"): OrderEvent.STOCK_RELEASED,
    (TAKE_PAYMENT, "done"): OrderEvent.PAYMENT_TAKEN,
    (TAKE_PAYMENT, "refused"): OrderEvent.PAYMENT_DECLINED,
    (TAKE_PAYMENT, "undone"): OrderEvent.PAYMENT_VOIDED,
}
_OF_ALL: Final = {
    "failed": OrderEvent.DELAYED,
    "undoing failed": OrderEvent.DELAYED,
    "stopped": OrderEvent.CANCEL_REQUESTED,
    "completed": OrderEvent.CONFIRMED,
}


def time_of(microseconds: int) -> datetime:
    """The time so long after the epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def timeline(
    placed_at: int, history: Iterable[Happening], state: OrderState
) -> tuple[TimelineEntry, ...]:
    """Tell what has happened to an order.

    Args:
        placed_at: when it was placed, in microseconds since the epoch.
        history: what has happened to its checkout, in this order.
        state: how far the order has come.
    """
    ended = OrderEvent.CANCELLED if state is OrderState.CANCELLED else OrderEvent.REJECTED
    told = [TimelineEntry(at=time_of(placed_at), event=OrderEvent.PLACED)]
    for each in history:
        event = _OF_STEPS.get((each.step, each.event)) or _OF_ALL.get(each.event)
        if each.event == "compensated":
            event = ended
        if event is not None:
            told.append(TimelineEntry(at=time_of(each.at), event=event))
    return tuple(told)
