from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.api import page_token
from services.orders.domain.order_id import new_order_id


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_token_names_the_last_order_of_its_page(now: int) -> None:
    order_id = new_order_id(now)
    assert page_token.decode(page_token.encode(order_id)) == order_id


def test_the_first_page_has_the_empty_token() -> None:
    assert page_token.decode("") == ""


@given(st.text(max_size=40))
def test_what_is_no_token_is_refused(text: str) -> None:
    try:
        order_id = page_token.decode(text)
    except ValueError:
        return
    assert text == (page_token.encode(order_id) if order_id else "")


@pytest.mark.parametrize("token", ["A" * 22, "A" * 21, "AZOqXJ9Afmm9JvVf9Vt0xR=="])
def test_a_token_of_something_else_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="page token"):
        page_token.decode(token)
