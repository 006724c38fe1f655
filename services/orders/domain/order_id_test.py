from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from services.orders.domain.order_id import new_order_id

MICROSECONDS = st.integers(0, 4_000_000_000_000_000)


@given(MICROSECONDS, MICROSECONDS)
def test_a_later_order_has_a_later_identity(one: int, other: int) -> None:
    # Four of 4,096 fractions of a millisecond are one microsecond.
    if one < other:
        assert new_order_id(one) < new_order_id(other)


@given(MICROSECONDS)
def test_an_identity_is_a_uuid_of_version_7_that_nobody_can_guess(now: int) -> None:
    made = uuid.UUID(new_order_id(now))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == now // 1000
    assert len({new_order_id(now) for _ in range(20)}) == 20
