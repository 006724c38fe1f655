from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.contract import InvalidField
from services.authentication.domain.password import read_password


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=140))
def test_any_8_to_128_characters_are_a_password(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    if 8 <= len(composed) <= 128:
        assert read_password("password", text) == composed.encode()
    else:
        with pytest.raises(InvalidField, match="password: expected 8 to 128 characters"):
            read_password("password", text)


def test_what_looks_the_same_is_the_same() -> None:
    assert read_password("password", "a\u0308" * 8) == read_password("password", "ä" * 8)


def test_characters_count_as_they_are_seen() -> None:
    assert read_password("password", "e\u0301" * 128)
    with pytest.raises(InvalidField):
        read_password("password", "a\u0308" * 7)


@pytest.mark.parametrize("text", ["\0" * 8, " " * 8, "🔑" * 128])
def test_no_character_is_refused(text: str) -> None:
    assert read_password("password", text) == text.encode()


@pytest.mark.parametrize("text", ["\ud800" * 8, "a" * 10**7, "a\u0308" * 10**6])
def test_what_is_refused_is_not_repeated(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_password("new_password", text)
    assert caught.value.path == "new_password"
    assert len(str(caught.value)) < 100
