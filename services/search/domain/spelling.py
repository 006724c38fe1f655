"""Which words are near a misspelt one.

Two words that differ by few edits have something in common when some characters are left out of
each. So every word of the catalogue is stored with what is left of it, and a misspelt word is
looked up by what is left of itself: a look-up by key, however many words there are.

Source: T. Bocek, E. Hunt, B. Stiller, "Fast Similarity Search in Large Dictionaries", 2007. That
the beginning of a word is enough is W. Garbe's, https://github.com/wolfgarbe/SymSpell.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Final

SHORTEST: Final = 3
"""Characters of the shortest word that is corrected: all shorter ones are near each other."""

LONGEST: Final = 32
"""Characters of the longest."""

_LONG: Final = 8
"""Characters of a word from which on it may have two mistakes."""

_BEGINNING: Final = 7
"""Characters of a word from which some are left out; the others are compared afterwards."""


def mistakes(word: str) -> int:
    """How many mistakes a word may have; 0 for one that is not corrected."""
    if not SHORTEST <= len(word) <= LONGEST:
        return 0
    return 2 if len(word) >= _LONG else 1


def variants(word: str) -> frozenset[str]:
    """What is left of a word when as many characters are left out as it may have mistakes."""
    most = mistakes(word)
    if not most:
        return frozenset()
    beginning = word[:_BEGINNING]
    return frozenset(
        "".join(kept)
        for missing in range(most + 1)
        for kept in combinations(beginning, len(beginning) - missing)
    )


def nearest(word: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Those of the candidates that are the fewest mistakes away, in alphabetical order.

    None takes more than `word` may have. A wrong, a missing and an additional character are one
    mistake each, and so are two neighbours that have changed places.
    """
    least = mistakes(word) + 1
    best: list[str] = []
    for candidate in sorted(set(candidates)):
        if abs(len(candidate) - len(word)) > least:
            continue
        distance = _distance(word, candidate)
        if distance < least:
            least, best = distance, [candidate]
        elif distance == least and best:
            best.append(candidate)
    return tuple(best)


def _distance(one: str, other: str) -> int:
    """The optimal string alignment distance."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        current = [row]
        for column, right in enumerate(other, start=1):
            least = min(
                last[column] + 1,
                current[column - 1] + 1,
                last[column - 1] + (left != right),
            )
            swapped = row > 1 and column > 1 and left == other[column - 2]
            if swapped and one[row - 2] == right:
                least = min(least, before[column - 2] + 1)
            current.append(least)
        before, last = last, current
    return last[-1]
