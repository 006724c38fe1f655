"""What a reservation must look like."""

from __future__ import annotations

from typing import Final

from seam.persistence import text_refusal
from services.inventory.records.messagebus import (
    InvalidReservation,
    InvalidReservationError,
    ReserveStockRequest,
)

MAXIMUM_ID_LENGTH: Final = 64
MAXIMUM_LINES: Final = 1000


def check(request: ReserveStockRequest) -> None:
    """Check that a request can be a reservation.

    Raises:
        InvalidReservationError: it cannot; names the field and what was expected.
    """
    if not 1 <= len(request.reservation_id) <= MAXIMUM_ID_LENGTH:
        raise _invalid("reservation_id", f"expected 1 to {MAXIMUM_ID_LENGTH} characters")
    reason = text_refusal(request.reservation_id, MAXIMUM_ID_LENGTH)
    if reason is not None:
        raise _invalid("reservation_id", reason)
    if not 1 <= len(request.lines) <= MAXIMUM_LINES:
        raise _invalid("lines", f"expected 1 to {MAXIMUM_LINES} lines")
    seen: set[str] = set()
    for index, line in enumerate(request.lines):
        if line.quantity < 1:
            raise _invalid(f"lines[{index}].quantity", f"is {line.quantity}; expected at least 1")
        if line.sku in seen:
            raise _invalid(f"lines[{index}].sku", f"'{line.sku}' has a line already")
        seen.add(line.sku)


def _invalid(field: str, reason: str) -> InvalidReservationError:
    return InvalidReservationError(InvalidReservation(field=field, reason=reason))
