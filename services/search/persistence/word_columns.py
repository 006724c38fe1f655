"""Columns of words, and what is looked for in them, as each kind of database has it.

The words come from `services.search.domain.words`, with blanks between them; here they are only
written in the form of the database. A word holds letters, digits and their marks, and nothing that
means something in a query of a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Dialect, String
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeDecorator, TypeEngine

from services.search.domain.words import Term

MAXIMUM_POSITION: Final = 16_383
"""The last position that PostgreSQL knows in a text; later words stand there, too.

Source: https://www.postgresql.org/docs/current/textsearch-limitations.html
"""


class Words(TypeDecorator[str]):
    """Type of a column of words: text that SQLite's FTS5 reads, and a `tsvector` of PostgreSQL.

    Args:
        weight: how much a word of this column counts in PostgreSQL, `A` the most and `D` the least.
    """

    impl = String
    cache_ok = True

    def __init__(self, weight: str) -> None:
        super().__init__()
        self.weight = weight

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Name the type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TSVECTOR())
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write words with their places, if the database asks for them."""
        if value is None or dialect.name != "postgresql":
            return value
        return " ".join(
            f"'{word}':{min(place, MAXIMUM_POSITION)}{self.weight}"
            for place, word in enumerate(value.split(), start=1)
        )


class Sought(TypeDecorator[Sequence[Term]]):
    """Type of a parameter: words that must all be there, as a query of FTS5 or a `tsquery`.

    A word that may be a beginning is looked for as a whole, too, so that an item which holds it as
    it was typed comes before one that only holds a longer one.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Sequence[Term] | None, dialect: Dialect) -> str:
        """Write the words in the language of the database."""
        if not value:
            raise TypeError("expected at least one word")
        if dialect.name == "postgresql":
            return " & ".join(_in_postgresql(term) for term in value)
        return " AND ".join(_in_fts5(term) for term in value)


def _in_postgresql(term: Term) -> str:
    return f"('{term.word}' | '{term.word}':*)" if term.begins else f"'{term.word}'"


def _in_fts5(term: Term) -> str:
    return f'("{term.word}" OR "{term.word}"*)' if term.begins else f'"{term.word}"'
