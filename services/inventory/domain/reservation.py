"""What a reservation must look like, beyond what the contract says of each field."""

from __future__ import annotations

from typing import Final

from seam.persistence import text_refusal
from services.inventory.records.messagebus import (
    InvalidReservation,
    InvalidReservationError,
    ReserveStockRequest,
)

MAXIMUM_ID_LENGTH: Final = 64


def check(request: ReserveStockRequest) -> None:
    """Check that a request can be a reservation.

    Raises:
        InvalidReservationError: it cannot; names the field and what was expected.
    """
    reason = text_refusal(request.reservation_id, MAXIMUM_ID_LENGTH)
    if reason is not None:
        raise _invalid("reservation_id", reason)
    seen: set[str] = set()
    for index, line in enumerate(request.lines):
        if line.sku in seen:
            raise _invalid(f"lines[{index}].sku", f"'{line.sku}' has a line already")
        seen.add(line.sku)


def _invalid(field: str, reason: str) -> InvalidReservationError:
    return InvalidReservationError(InvalidReservation(field=field, reason=reason))
