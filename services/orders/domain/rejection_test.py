from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seam.sagas import FAILED, TIMED_OUT, Reason
from services.inventory.records.messagebus import Shortage
from services.orders.domain.rejection import out_of_stock, payment_declined, rejection_of
from services.orders.records.api import Rejection, RejectionReason, ShortItem


@given(
    st.lists(st.builds(Shortage, sku=st.text(), requested=st.integers(), available=st.integers()))
)
def test_items_that_are_short_are_named(shortages: list[Shortage]) -> None:
    assert rejection_of(out_of_stock(shortages)) == Rejection(
        reason=RejectionReason.OUT_OF_STOCK,
        short_items=tuple(
            ShortItem(sku=each.sku, ordered=each.requested, available=each.available)
            for each in shortages
        ),
        decline_reason="",
    )


def test_a_decline_says_what_the_provider_said() -> None:
    rejection = rejection_of(payment_declined("no money"))
    assert rejection.reason is RejectionReason.PAYMENT_DECLINED
    assert rejection.decline_reason == "no money"


def test_a_reason_that_is_not_meant_for_clients_stays_here() -> None:
    for kind in (FAILED, "of a later version"):
        assert rejection_of(Reason(kind, "secret")) == Rejection(
            reason=RejectionReason.FAILED, short_items=(), decline_reason=""
        )
    assert rejection_of(Reason(TIMED_OUT, "secret")).reason is RejectionReason.TIMED_OUT
