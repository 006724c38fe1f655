from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.domain.correction import most_frequent
from services.search.domain.spelling import LONGEST, mistakes, nearest, variants

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäé", min_size=3, max_size=20)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("baord", "board"),
        ("bord", "board"),
        ("boaard", "board"),
        ("boart", "board"),
        ("oard", "board"),
        ("mgu", "mug"),
        ("keybroad", "keyboard"),
        ("keyborad", "keyboard"),
        ("kebyoerd", "keyboard"),
        ("screwdrivr", "screwdriver"),
        ("scredwrivre", "screwdriver"),
    ],
)
def test_a_mistyped_word_has_something_in_common_with_the_word_that_was_meant(
    typed: str, meant: str
) -> None:
    assert variants(typed) & variants(meant)
    assert nearest(typed, [meant, "lamp", "garden"]) == (meant,)


@given(word=WORDS, seed=st.integers(0, 2**32))
def test_one_mistake_anywhere_is_always_found(word: str, seed: int) -> None:
    chance = random.Random(seed)
    place = chance.randrange(len(word))
    letter = chance.choice("abcxyz")
    typed = chance.choice(
        [
            word[:place] + letter + word[place:],
            word[:place] + letter + word[place + 1 :],
            word[:place] + word[place + 1 :],
            word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
        ]
    )
    if mistakes(typed):
        assert variants(typed) & variants(word)
        assert nearest(typed, [word]) == (word,)


@given(word=WORDS, other=WORDS)
def test_how_near_two_words_are_does_not_depend_on_which_comes_first(word: str, other: str) -> None:
    if mistakes(word) == mistakes(other):
        assert bool(nearest(word, [other])) == bool(nearest(other, [word]))


def test_the_nearest_words_come_in_alphabetical_order_and_farther_ones_not() -> None:
    assert nearest("bat", ["cat", "bar", "boats", "bat"]) == ("bat",)
    assert nearest("bax", ["cat", "bar", "boats", "bat"]) == ("bar", "bat")
    assert nearest("zzz", ["cat"]) == ()


@pytest.mark.parametrize("word", ["", "a", "ab", "a" * (LONGEST + 1), "a" * 10_000])
def test_words_that_are_too_short_or_too_long_are_not_corrected(word: str) -> None:
    assert mistakes(word) == 0
    assert variants(word) == frozenset()


def test_a_word_is_stored_under_few_variants_however_long_it_is() -> None:
    assert len(variants("abcdefghijklmnopqrstuvwxyz")) == 29


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], None), ([("a", 0)], None), ([("a", 1), ("b", 3)], "b"), ([("a", 2), ("b", 2)], "a")],
)
def test_of_words_that_are_equally_near_the_more_frequent_was_meant(
    counts: list[tuple[str, int]], expected: str | None
) -> None:
    assert most_frequent(counts) == expected
