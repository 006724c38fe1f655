"""Words of a text, as they are indexed and as they are looked for.

Neither case, accents nor two ways to write one letter count. This is done here and not by a
database, so that all of them find the same.

Scripts that put no blanks between words, such as Chinese, are cut into pairs of neighbouring
characters: what was typed is then found wherever it stands. It is the usual way without a
dictionary: CJKBigramFilter of Apache Lucene does the same.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import msgspec

MAXIMUM_WORD_LENGTH: Final = 64
"""Characters of a word that count."""

MINIMUM_BEGINNING: Final = 3
"""Characters from which on a word of a query may be the beginning of one."""

_PLAIN: Final = re.compile("[a-z0-9]+")

_MARKED_SCRIPTS_END: Final = "\u0590"
"""Up to here, in Latin, Greek and Cyrillic, a mark is an accent. In later scripts it is a vowel, or
makes another letter."""

# Letters that Unicode does not take apart, as people type them who have no key for them.
_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
    }
)

# Han, kana, bopomofo; Thai, Lao, Burmese, Khmer.
_DENSE: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_PART: Final = re.compile(f"[{_DENSE}]+|[^{_DENSE}]+")
_DENSE_PART: Final = re.compile(f"[{_DENSE}]")


class Term(msgspec.Struct, frozen=True):
    """One word that is looked for.

    Attributes:
        word: the word.
        begins: whether words that begin with it are good as well.
    """

    word: str
    begins: bool


def indexed_words(text: str) -> list[str]:
    """The words of a text that is to be found, in its order, each as often as it occurs."""
    found: list[str] = []
    for run in _runs(text):
        for part in _PART.findall(run):
            if _is_dense(part):
                found += _pairs(part)
                # What it ends with begins no pair, and is looked for as well.
                found.append(part[-1])
            else:
                found.append(part[:MAXIMUM_WORD_LENGTH])
    return found


def sought_terms(query: str) -> tuple[Term, ...]:
    """The different words of a query, in its order."""
    found: list[Term] = []
    for run in _runs(query):
        for part in _PART.findall(run):
            if _is_dense(part):
                pairs = _pairs(part)
                found += (Term(word=pair, begins=False) for pair in pairs)
                if not pairs:
                    found.append(Term(word=part, begins=True))
            else:
                word = part[:MAXIMUM_WORD_LENGTH]
                found.append(Term(word=word, begins=len(word) >= MINIMUM_BEGINNING))
    return tuple(dict.fromkeys(found))


def is_spelt(word: str) -> bool:
    """Whether a word is made of letters that can be mistyped: a number or a SKU is none."""
    return word.isalpha() and not _is_dense(word)


def _runs(text: str) -> list[str]:
    """Runs of letters and digits, folded."""
    plain = text.casefold()
    if plain.isascii():
        return _PLAIN.findall(plain)
    # Compatibility forms may have letters in upper case.
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
    base = ""
    kept: list[str] = []
    for character in apart:
        if unicodedata.category(character)[0] == "M":
            # A mark with nothing before it is part of no word.
            if base >= _MARKED_SCRIPTS_END:
                kept.append(character)
        elif character.isalnum():
            base = character
            kept.append(character)
        else:
            base = ""
            kept.append(" ")
    return unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS).split()


def _is_dense(part: str) -> bool:
    return _DENSE_PART.match(part) is not None


def _pairs(part: str) -> list[str]:
    return [part[at : at + 2] for at in range(len(part) - 1)]
