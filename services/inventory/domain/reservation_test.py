from __future__ import annotations

import pytest

from services.inventory.domain.reservation import MAXIMUM_LINES, check
from services.inventory.records.messagebus import (
    InvalidReservationError,
    ReserveStockRequest,
    StockLine,
)

MUG = StockLine(sku="KIT-MUG-0001", quantity=1)
PEN = StockLine(sku="STA-PEN-0001", quantity=2)


def many(count: int) -> tuple[StockLine, ...]:
    return tuple(StockLine(sku=f"SKU-{number}", quantity=1) for number in range(count))


@pytest.mark.parametrize("reservation_id", ["r", "r" * 64, "ß" * 64, "a b/c"])
def test_an_id_has_one_to_64_characters_of_any_kind(reservation_id: str) -> None:
    check(ReserveStockRequest(reservation_id=reservation_id, lines=(MUG, PEN)))


def test_a_reservation_may_have_1000_lines() -> None:
    check(ReserveStockRequest(reservation_id="r", lines=many(MAXIMUM_LINES)))


@pytest.mark.parametrize(
    ("reservation_id", "lines", "field", "reason"),
    [
        ("", (MUG,), "reservation_id", "expected 1 to 64 characters"),
        ("r" * 65, (MUG,), "reservation_id", "expected 1 to 64 characters"),
        ("r\0", (MUG,), "reservation_id", "holds a NUL character"),
        ("r", (), "lines", "expected 1 to 1000 lines"),
        ("r", many(MAXIMUM_LINES + 1), "lines", "expected 1 to 1000 lines"),
        (
            "r",
            (MUG, StockLine(sku="STA-PEN-0001", quantity=0)),
            "lines[1].quantity",
            "is 0; expected at least 1",
        ),
        (
            "r",
            (StockLine(sku="KIT-MUG-0001", quantity=-3),),
            "lines[0].quantity",
            "is -3; expected at least 1",
        ),
        ("r", (MUG, PEN, MUG), "lines[2].sku", "'KIT-MUG-0001' has a line already"),
    ],
)
def test_a_request_that_cannot_be_a_reservation_is_refused_with_field_and_reason(
    reservation_id: str, lines: tuple[StockLine, ...], field: str, reason: str
) -> None:
    with pytest.raises(InvalidReservationError) as caught:
        check(ReserveStockRequest(reservation_id=reservation_id, lines=lines))
    assert (caught.value.record.field, caught.value.record.reason) == (field, reason)
