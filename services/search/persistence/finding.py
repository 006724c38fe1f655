"""Finds items by words, the best first.

All words must be there. A word counts most in the title, which is the SKU and the name, less in the
category and least in the description; and it counts more in a short text than in a long one. In
SQLite it is BM25 that says how much, so that a rare word counts more than a common one; PostgreSQL
knows nothing of other items when it ranks one. Where one item is plainly better, both agree.

A word that very many items hold is no reason to look at all of them: the first `CANDIDATES` that
match are ranked, and the others are not found. Who sees that many results will type another word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from contract.v1.money import Money
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col

from seam.persistence import Query, Session, one_of
from services.search.domain.words import Term
from services.search.persistence.tables import DocumentRow, IndexStateRow, SpellingRow
from services.search.persistence.word_columns import Sought

CANDIDATES: Final = 10_000
"""Items that are ranked."""

ENOUGH: Final = 100
"""Items of a word from which on they are not counted."""

NEIGHBOURS: Final = 200
"""Words that are compared with a misspelt one."""

_WEIGHTS: Final = "10.0, 4.0, 1.0"
"""Of title, category and description, for BM25; those of PostgreSQL are in the same proportion."""

_POSTGRESQL_WEIGHTS: Final = "'{0.1, 0.1, 0.4, 1.0}'"
"""Of D, C, B and A."""

_BY_LENGTH: Final = 1
"""Has PostgreSQL divide a rank by 1 + log(length)."""


class Found(msgspec.Struct, frozen=True):
    """An item that was found.

    Attributes:
        sku: its SKU.
        name: what it is called.
        price: the price of one unit.
        score: how well it fits; more is better.
    """

    sku: str
    name: str
    price: Money
    score: float


def _found(sku: str, name: str, currency_code: str, minor_units: int, score: float) -> Found:
    return Found(sku, name, Money(currency_code=currency_code, minor_units=minor_units), score)


_SHOWN: Final = (
    col(DocumentRow.sku),
    col(DocumentRow.name),
    col(DocumentRow.currency_code),
    col(DocumentRow.price_minor_units),
)

# While the first generation is built, what there is of it is better than nothing.
_SEARCHED: Final = (
    select(func.coalesce(col(IndexStateRow.live), col(IndexStateRow.building)))
    .where(col(IndexStateRow.only) == 1)
    .scalar_subquery()
)

_MATCH: Final = bindparam("match", type_=Sought())

# FTS5: the table's name stands for all of its columns, and `bm25` gives less for what is better.
_FTS: Final = table("document_words", column("rowid", BigInteger))
_FTS_MATCHES: Final = literal_column("document_words").op("MATCH")(_MATCH)
_FTS_CANDIDATES: Final = (
    select(
        _FTS.c.rowid.label("number"),
        (-func.bm25(literal_column("document_words"), sql(_WEIGHTS))).label("score"),
    )
    .where(_FTS_MATCHES)
    .limit(CANDIDATES)
    .subquery()
)

_VECTOR: Final[ColumnElement[str]] = literal_column("(title || category || description)")
_TSQUERY: Final = cast(cast(_MATCH, Text), TSQUERY)
# Any word counts for the rank, since all of them are there: with `&`, PostgreSQL would rank by how
# near they are to each other, and not by what they are in.
_ANY: Final = func.replace(cast(_MATCH, Text), "&", "|")
# Words as they were typed, once more: PostgreSQL takes a word and its beginning for one in a rank.
_ANY_WHOLE: Final = func.replace(_ANY, ":*", "")
_PG_MATCHES: Final = _VECTOR.op("@@")(_TSQUERY)


def _rank(query: ColumnElement[str]) -> ColumnElement[float]:
    return func.ts_rank(sql(_POSTGRESQL_WEIGHTS), _VECTOR, cast(query, TSQUERY), _BY_LENGTH)


_PG_CANDIDATES: Final = (
    select(
        col(DocumentRow.number).label("number"), (_rank(_ANY) + _rank(_ANY_WHOLE)).label("score")
    )
    .where(_PG_MATCHES, col(DocumentRow.generation) == _SEARCHED)
    .limit(CANDIDATES)
    .subquery()
)


def _ranked(candidates: Subquery) -> Select[Any]:
    score = candidates.c.score
    return (
        select(*_SHOWN, score)
        .join_from(candidates, DocumentRow, col(DocumentRow.number) == candidates.c.number)
        .where(col(DocumentRow.generation) == _SEARCHED)
        .order_by(score.desc(), col(DocumentRow.sku))
        .limit(bindparam("size"))
        .offset(bindparam("skipped"))
    )


_RANKED: Final = Query(
    {"sqlite": _ranked(_FTS_CANDIDATES), "postgresql": _ranked(_PG_CANDIDATES)}, _found
)


def _counted(matching: Select[Any]) -> Select[Any]:
    return select(func.count()).select_from(matching.limit(ENOUGH).subquery())


_COUNT: Final = Query(
    {
        "sqlite": _counted(select(_FTS.c.rowid).where(_FTS_MATCHES)),
        "postgresql": _counted(
            select(col(DocumentRow.number)).where(
                _PG_MATCHES, col(DocumentRow.generation) == _SEARCHED
            )
        ),
    },
    int,
)

_NEIGHBOURS: Final = Query(
    select(col(SpellingRow.word))
    .where(col(SpellingRow.generation) == _SEARCHED, one_of(col(SpellingRow.variant), "variants"))
    # What has more in common is nearer.
    .order_by(func.length(col(SpellingRow.variant)).desc(), col(SpellingRow.word))
    .limit(NEIGHBOURS),
    str,
)


async def find(
    session: Session, terms: Sequence[Term], *, skipped: int, size: int
) -> tuple[Found, ...]:
    """Items that hold all of some words, the best first.

    Args:
        session: the database of the search.
        terms: the words; at least one.
        skipped: how many of the best to leave out.
        size: the most items to give.
    """
    return tuple(await session.fetch_all(_RANKED, match=tuple(terms), skipped=skipped, size=size))


async def count(session: Session, term: Term) -> int:
    """How many items hold a word; not more than `ENOUGH` are counted."""
    return await session.fetch_one(_COUNT, match=(term,)) or 0


async def neighbours(session: Session, variants: Sequence[str]) -> list[str]:
    """Words of the catalogue that have something in common with a misspelt one, the nearest first.

    Args:
        session: the database of the search.
        variants: what is left of the misspelt word.
    """
    return await session.fetch_all(_NEIGHBOURS, variants=variants)
