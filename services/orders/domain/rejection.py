"""Why orders are rejected: as their checkout says it, and as clients see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from seam.sagas import TIMED_OUT, Reason
from services.inventory.records.messagebus import Shortage
from services.orders.records.api import Rejection, RejectionReason, ShortItem

OUT_OF_STOCK: Final = "out of stock"
PAYMENT_DECLINED: Final = "payment declined"
CANCELLED: Final = Reason("cancelled")
"""Why the checkout of an order that somebody cancels is undone."""

_REASONS: Final = {
    OUT_OF_STOCK: RejectionReason.OUT_OF_STOCK,
    PAYMENT_DECLINED: RejectionReason.PAYMENT_DECLINED,
    TIMED_OUT: RejectionReason.TIMED_OUT,
}
_SHORT_ITEMS: Final = msgspec.json.Decoder(tuple[tuple[str, int, int], ...])


def out_of_stock(shortages: Sequence[Shortage]) -> Reason:
    """The stock does not cover an order."""
    items = [(each.sku, each.requested, each.available) for each in shortages]
    return Reason(OUT_OF_STOCK, msgspec.json.encode(items).decode())


def payment_declined(reason: str) -> Reason:
    """The provider refuses to take the money, in its own words."""
    return Reason(PAYMENT_DECLINED, reason)


def rejection_of(reason: Reason) -> Rejection:
    """What clients see of a reason."""
    short = _SHORT_ITEMS.decode(reason.detail) if reason.kind == OUT_OF_STOCK else ()
    return Rejection(
        # What the shop does not expect is its own fault; the log has more of it.
        reason=_REASONS.get(reason.kind, RejectionReason.FAILED),
        short_items=tuple(
            ShortItem(sku=sku, ordered=ordered, available=available)
            for sku, ordered, available in short
        ),
        decline_reason=reason.detail if reason.kind == PAYMENT_DECLINED else "",
    )
