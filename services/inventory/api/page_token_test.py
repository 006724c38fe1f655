from __future__ import annotations

import base64
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.inventory.api import page_token
from services.inventory.domain.item import MAXIMUM_SKU_LENGTH

QUERIES = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
SKUS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=64,
)


@given(query=QUERIES, sku=SKUS)
def test_a_token_gives_back_the_sku_that_it_was_made_from(query: str, sku: str) -> None:
    assert page_token.decode(query, page_token.encode(query, sku)) == sku


@given(query=QUERIES)
def test_the_empty_token_is_the_first_page_of_every_query(query: str) -> None:
    assert page_token.decode(query, "") == ""


@given(query=QUERIES, sku=SKUS)
def test_a_token_needs_no_escaping_in_a_url(query: str, sku: str) -> None:
    unreserved = set(string.ascii_letters + string.digits + "-_")
    assert set(page_token.encode(query, sku)) <= unreserved


def test_a_token_fits_the_same_words_however_they_are_typed() -> None:
    token = page_token.encode("Große  Tasse", "KIT-MUG-0001")
    assert page_token.decode(" grosse TASSE ", token) == "KIT-MUG-0001"


@given(one=QUERIES, other=QUERIES)
def test_a_token_does_not_fit_another_query(one: str, other: str) -> None:
    assume(one.casefold().split() != other.casefold().split())
    with pytest.raises(ValueError, match="another query"):
        page_token.decode(other, page_token.encode(one, "KIT-MUG-0001"))


@given(token=st.text(min_size=1, max_size=60))
def test_whatever_no_page_gave_is_refused_as_a_value_error(token: str) -> None:
    # A random text has the right digest once in 2**48.
    with pytest.raises(ValueError, match="page token"):
        page_token.decode("mug", token)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing after the digest"),
        pytest.param(b"\xff\xfe", id="bytes that are no text"),
        pytest.param(b"KIT\0MUG", id="a NUL character, which no SKU holds"),
    ],
)
def test_a_token_with_the_right_digest_and_an_impossible_sku_is_refused(content: bytes) -> None:
    genuine = page_token.encode("mug", "K")
    digest = base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))[: -len("K")]
    forged = base64.urlsafe_b64encode(digest + content).decode().rstrip("=")
    with pytest.raises(ValueError, match="page token"):
        page_token.decode("mug", forged)


def test_the_longest_sku_has_a_token_and_what_is_longer_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest = "😀" * MAXIMUM_SKU_LENGTH
    token = page_token.encode("mug", longest)
    assert len(token) <= page_token.MAXIMUM_LENGTH
    assert page_token.decode("mug", token) == longest

    def refuse(*_: object, **__: object) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr(base64, "b64decode", refuse)
    for length in (page_token.MAXIMUM_LENGTH + 1, 4_000_000):
        with pytest.raises(ValueError, match="page token"):
            page_token.decode("mug", "A" * length)


@pytest.mark.parametrize("damage", ["{}A", "A{}", "{} ", "{}=", "{}\n"])
def test_a_damaged_token_never_leads_to_a_page(damage: str) -> None:
    token = page_token.encode("mug", "KIT-MUG-0001")
    with pytest.raises(ValueError, match="page token"):
        page_token.decode("mug", damage.format(token))
