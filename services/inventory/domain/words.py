"""Words of a text, as they are searched for."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAXIMUM_WORD_LENGTH: Final = 64
"""Characters of a word that count."""

_WORD: Final = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The different words of a text, in the order of the text.

    A word is a run of letters and digits. Case does not count, nor do two ways to write one letter.
    """
    plain = text.casefold()
    if not plain.isascii():
        # Compatibility forms may have letters in upper case.
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold())
    found = _WORD.findall(plain)
    return tuple(dict.fromkeys(word[:MAXIMUM_WORD_LENGTH] for word in found))
