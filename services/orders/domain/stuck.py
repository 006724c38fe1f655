"""What an order waits for that does not come to an end, told by its checkout."""

from __future__ import annotations

from typing import Final

from seam.sagas import Delayed
from services.orders.domain.timeline import RESERVE_STOCK, TAKE_PAYMENT, time_of
from services.orders.records.api import OrderStep, OrderSummary, StuckOrder

STUCK_AFTER: Final = 60
"""Seconds after which an order is stuck: most have ended within one."""

_STEPS: Final = {
    (RESERVE_STOCK, False): OrderStep.RESERVE_STOCK,
    (RESERVE_STOCK, True): OrderStep.RELEASE_STOCK,
    (TAKE_PAYMENT, False): OrderStep.TAKE_PAYMENT,
    (TAKE_PAYMENT, True): OrderStep.VOID_PAYMENT,
}


def stuck_order(order: OrderSummary, delayed: Delayed) -> StuckOrder:
    """Tell where an order is stuck.

    Args:
        order: the order.
        delayed: its checkout, which goes on.
    """
    step = _STEPS.get((delayed.step, delayed.is_undone), OrderStep.UNSPECIFIED)
    return StuckOrder(
        order_id=order.order_id,
        state=order.state,
        placed_at=order.placed_at,
        total=order.total,
        since=time_of(delayed.since),
        step=step,
        attempts=delayed.attempts,
        reason=delayed.failure,
        due_at=time_of(delayed.due_at),
    )
