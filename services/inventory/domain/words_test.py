from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.words import MAXIMUM_WORD_LENGTH, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" \t\n", ()),
        ("Blue mug, blue MUG!", ("blue", "mug")),
        ("KIT-001_x", ("kit", "001", "x")),
        ("Größe", ("grösse",)),
        ("caf\u0065\u0301", ("café",)),
        ("\ufb01ve \uff12\uff10", ("five", "20")),
        ("🫖 %\0", ()),
        ("x" * 100, ("x" * MAXIMUM_WORD_LENGTH,)),
    ],
)
def test_a_word_is_a_run_of_letters_and_digits_in_one_spelling(
    text: str, expected: tuple[str, ...]
) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_are_the_same_however_a_text_is_written(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert words(unicodedata.normalize("NFD", text)) == words(unicodedata.normalize("NFC", text))
    assert all(word.isalnum() for word in found)
