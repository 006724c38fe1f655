"""Chooses what a misspelt word was meant to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.search.domain.spelling import mistakes
from services.search.domain.words import Term, is_spelt

MOST_CORRECTED: Final = 4
"""Words of a query that are corrected: who mistypes more of them means something else."""


def is_correctable(term: Term) -> bool:
    """Whether a word may be a misspelt one."""
    return mistakes(term.word) > 0 and is_spelt(term.word)


def most_frequent(counts: Sequence[tuple[str, int]]) -> str | None:
    """The word that most items hold, of several that are equally near; None if no item holds one.

    Args:
        counts: words in alphabetical order, each with the number of items that hold it. Of two that
            are equal, the first is chosen.
    """
    held = [(word, count) for word, count in counts if count]
    return max(held, key=lambda each: each[1])[0] if held else None
