from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.domain.words import (
    MAXIMUM_WORD_LENGTH,
    Term,
    indexed_words,
    is_spelt,
    sought_terms,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oak board, oak-coloured", ["oak", "board", "oak", "coloured"]),
        ("KIT-MUG-0001", ["kit", "mug", "0001"]),
        ("Große CRÈME", ["grosse", "creme"]),
        ("Łódź Ærø", ["lodz", "aero"]),
        ("ﬁne Ⅷ \uff57\uff49\uff44\uff45", ["fine", "viii", "wide"]),
        ("한국어", ["한국어"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("東京タワー USB接口", ["東京", "京タ", "タワ", "ワー", "ー", "usb", "接口", "口"]),
        ("\u0301abc", ["abc"]),
        ("\0\ud800 -+*\"'()\\", []),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(
    text: str, expected: list[str]
) -> None:
    assert indexed_words(text) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("oak oak OAK", [Term("oak", begins=True)]),
        (
            "of 12 abc",
            [Term("of", begins=False), Term("12", begins=False), Term("abc", begins=True)],
        ),
        ("東京タ", [Term("東京", begins=False), Term("京タ", begins=False)]),
        ("東", [Term("東", begins=True)]),
    ],
)
def test_a_query_asks_for_each_word_once_and_for_beginnings_of_longer_ones(
    query: str, expected: list[Term]
) -> None:
    assert list(sought_terms(query)) == expected


@given(st.text(max_size=300))
def test_every_word_is_safe_for_a_database_whatever_the_text(text: str) -> None:
    for word in indexed_words(text):
        assert 0 < len(word) <= MAXIMUM_WORD_LENGTH
        assert not set(word) & set(" \"'()*:&|!<>\\^-+{}\0\n")
        word.encode()


@given(st.text(max_size=60))
def test_what_a_text_holds_is_found_by_the_text_itself(text: str) -> None:
    there = indexed_words(text)
    for term in sought_terms(text):
        assert any(
            word == term.word or (term.begins and word.startswith(term.word)) for word in there
        )


@given(st.text(max_size=60))
def test_folding_a_second_time_changes_nothing(text: str) -> None:
    """So a word that was taken out of the index, as a correction is, is found again."""
    for word in indexed_words(text):
        assert indexed_words(word)[0] == word


def test_a_query_of_ten_thousand_digits_is_one_word_of_bounded_length() -> None:
    assert sought_terms("7" * 10_000) == (Term("7" * MAXIMUM_WORD_LENGTH, begins=True),)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("oak", True), ("élan", True), ("0001", False), ("a4", False), ("東京", False)],
)
def test_only_words_of_letters_are_spelt(word: str, expected: bool) -> None:
    assert is_spelt(word) is expected
