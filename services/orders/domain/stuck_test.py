from __future__ import annotations

from datetime import UTC, datetime

import pytest
from contract.v1.money import Money

from seam.sagas import Delayed
from services.orders.domain.stuck import stuck_order
from services.orders.records.api import OrderState, OrderStep, OrderSummary, StuckOrder

TOTAL = Money(currency_code="EUR", minor_units=990)
PLACED = datetime(2024, 5, 31, tzinfo=UTC)
ORDER = OrderSummary(
    order_id="1", cart_id="mine", state=OrderState.PENDING, placed_at=PLACED, total=TOTAL
)


def test_an_order_is_told_with_where_its_checkout_is() -> None:
    delayed = Delayed("1", False, "take payment", 3, 1_000_000, 2_000_001, "UNAVAILABLE: away")
    assert stuck_order(ORDER, delayed) == StuckOrder(
        order_id="1",
        state=OrderState.PENDING,
        placed_at=PLACED,
        total=TOTAL,
        since=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        step=OrderStep.TAKE_PAYMENT,
        attempts=3,
        reason="UNAVAILABLE: away",
        due_at=datetime(1970, 1, 1, 0, 0, 2, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("step", "is_undone", "expected"),
    [
        ("reserve stock", False, OrderStep.RESERVE_STOCK),
        ("reserve stock", True, OrderStep.RELEASE_STOCK),
        ("take payment", False, OrderStep.TAKE_PAYMENT),
        ("take payment", True, OrderStep.VOID_PAYMENT),
        ("pack it", False, OrderStep.UNSPECIFIED),
    ],
)
def test_a_step_is_told_by_what_is_done_or_undone(
    step: str, is_undone: bool, expected: OrderStep
) -> None:
    assert stuck_order(ORDER, Delayed("1", is_undone, step, 0, 0, 0, "")).step is expected
