from __future__ import annotations

import pytest

from services.inventory.domain.reservation import check
from services.inventory.records.messagebus import (
    InvalidReservationError,
    ReserveStockRequest,
    StockLine,
)

MUG = StockLine(sku="KIT-MUG-0001", quantity=1)
PEN = StockLine(sku="STA-PEN-0001", quantity=2)


@pytest.mark.parametrize("reservation_id", ["r", "r" * 64, "ß" * 64, "a b/c"])
def test_an_id_has_one_to_64_characters_of_any_kind(reservation_id: str) -> None:
    check(ReserveStockRequest(reservation_id=reservation_id, lines=(MUG, PEN)))


@pytest.mark.parametrize(
    ("reservation_id", "lines", "field", "reason"),
    [
        ("r\0", (MUG,), "reservation_id", "holds a NUL character"),
        ("r", (MUG, PEN, MUG), "lines[2].sku", "'KIT-MUG-0001' has a line already"),
    ],
)
def test_a_request_that_cannot_be_a_reservation_is_refused_with_field_and_reason(
    reservation_id: str, lines: tuple[StockLine, ...], field: str, reason: str
) -> None:
    with pytest.raises(InvalidReservationError) as caught:
        check(ReserveStockRequest(reservation_id=reservation_id, lines=lines))
    assert (caught.value.record.field, caught.value.record.reason) == (field, reason)
