from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.api import page_token
from services.search.domain.words import sought_terms

MUG = sought_terms("blue mug")


@given(shown=st.integers(1, 1_000))
def test_a_token_gives_back_how_much_was_shown_and_needs_no_escaping(shown: int) -> None:
    token = page_token.encode(MUG, shown)
    assert page_token.decode(sought_terms("BLUE, mug!"), token) == shown
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


def test_the_empty_token_is_the_first_page() -> None:
    assert page_token.decode(MUG, "") == 0


def test_a_token_does_not_fit_another_query() -> None:
    with pytest.raises(ValueError, match="another query"):
        page_token.decode(sought_terms("red mug"), page_token.encode(MUG, 20))


@given(token=st.text(min_size=1, max_size=40))
def test_whatever_no_page_gave_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="page token"):
        page_token.decode(MUG, token)


@pytest.mark.parametrize("damage", ["{}A", "A{}", "{}=", "{}\n", "{}\0"])
def test_a_damaged_token_never_leads_to_a_page(damage: str) -> None:
    with pytest.raises(ValueError, match="page token"):
        page_token.decode(MUG, damage.format(page_token.encode(MUG, 20)))


def test_no_page_comes_after_nothing_was_shown() -> None:
    with pytest.raises(ValueError, match="page token"):
        page_token.decode(MUG, page_token.encode(MUG, 0))
