"""Writes what is found of items.

Whoever writes has the row of the index's state locked (`Generations.lock`), so there is one writer
at a time, as an index has it: words are shared by items, and two who add them in different orders
would wait for each other in a circle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, func, select
from sqlmodel import col

from seam.persistence import Command, Database, Query, Transaction, one_of
from services.inventory.records.messagebus import CatalogueItem
from services.search.domain.spelling import mistakes, variants
from services.search.domain.words import indexed_words, is_spelt
from services.search.persistence.tables import DocumentRow, SpellingRow

_FEW: Final = 50
"""New words whose spellings are worked out on the event loop."""

_ROWS: Final = 2_000
"""Spellings that are handed to the database at a time: so many cost the event loop a moment."""

_CHUNK: Final = 500
"""Rows of an old generation that are deleted in one transaction."""

_CHANGEABLE: Final = (
    "version",
    "name",
    "currency_code",
    "price_minor_units",
    "title",
    "category",
    "description",
)

_PUT: Final = Command(
    lambda insert: (made := insert(DocumentRow)).on_conflict_do_update(
        index_elements=["generation", "sku"],
        set_={name: made.excluded[name] for name in _CHANGEABLE},
        # What is older than what is there comes late, or again.
        where=made.excluded.version > col(DocumentRow.version),
    )
)

_KNOWN: Final = Query(
    select(col(SpellingRow.word)).where(
        col(SpellingRow.generation) == bindparam("of"),
        # By the key: a word is stored under itself, too.
        one_of(col(SpellingRow.variant), "words"),
        col(SpellingRow.word) == col(SpellingRow.variant),
    ),
    str,
)

_ADD_SPELLING: Final = Command(lambda insert: insert(SpellingRow).on_conflict_do_nothing())

_COUNT: Final = Query(
    select(func.count())
    .select_from(DocumentRow)
    .where(col(DocumentRow.generation) == bindparam("of")),
    int,
)

_OLD_DOCUMENTS: Final = Query(
    select(col(DocumentRow.number))
    .where(~one_of(col(DocumentRow.generation), "kept"))
    .limit(bindparam("most")),
    int,
)

_REMOVE_DOCUMENTS: Final = Command(
    delete(DocumentRow).where(one_of(col(DocumentRow.number), "numbers"))
)

_OLD_GENERATION: Final = Query(
    select(col(SpellingRow.generation))
    .where(~one_of(col(SpellingRow.generation), "kept"))
    .limit(1),
    int,
)
_OLD_VARIANTS: Final = Query(
    select(col(SpellingRow.variant))
    .where(col(SpellingRow.generation) == bindparam("of"))
    .order_by(col(SpellingRow.variant))
    .limit(bindparam("most")),
    str,
)

_REMOVE_SPELLINGS: Final = Command(
    delete(SpellingRow).where(
        col(SpellingRow.generation) == bindparam("of"),
        col(SpellingRow.variant) <= bindparam("last"),
    )
)


class Prepared(msgspec.Struct, frozen=True):
    """Items as they are written.

    Attributes:
        rows: of the documents, without their generation.
        words: the words of the items that can be mistyped.
    """

    rows: list[dict[str, object]]
    words: list[str]


def prepared(items: Sequence[CatalogueItem]) -> Prepared:
    """Work out how items are written: a tenth of a millisecond or two for each of them."""
    rows = [_row(item) for item in items]
    return Prepared(rows, sorted({word for row in rows for word in _spelt(row)}))


class Documents:
    """What is found of items, in a transaction that has the index's state locked."""

    def __init__(self, transaction: Transaction) -> None:
        """Write in `transaction`."""
        self._transaction = transaction

    async def put(self, generations: Iterable[int], prepared: Prepared) -> None:
        """Let items be found as they are, unless they are known in a later version.

        Args:
            generations: the generations that they are put into.
            prepared: the items.
        """
        for generation in generations:
            await self._transaction.execute_many(
                _PUT, [{"generation": generation, **row} for row in prepared.rows]
            )
            await self._add_spellings(generation, prepared.words)

    async def _add_spellings(self, generation: int, words: Sequence[str]) -> None:
        if not words:
            return
        known = await self._transaction.fetch_all(_KNOWN, of=generation, words=words)
        new = set(words).difference(known)
        if len(new) <= _FEW:
            rows = _spellings(generation, new)
        else:
            rows = await asyncio.to_thread(_spellings, generation, new)
        for start in range(0, len(rows), _ROWS):
            await self._transaction.execute_many(_ADD_SPELLING, rows[start : start + _ROWS])


async def count_documents(database: Database, generation: int) -> int:
    """How many items a generation holds."""
    return await database.fetch_one(_COUNT, of=generation) or 0


async def remove_old(database: Database, kept: Sequence[int]) -> None:
    """Delete all generations but some, a bit at a time, so that others can write meanwhile.

    Args:
        database: the database of the search.
        kept: the generations that stay.
    """
    while old := await database.fetch_all(_OLD_DOCUMENTS, kept=kept, most=_CHUNK):
        await database.execute(_REMOVE_DOCUMENTS, numbers=old)
    while (generation := await database.fetch_one(_OLD_GENERATION, kept=kept)) is not None:
        left = await database.fetch_all(_OLD_VARIANTS, of=generation, most=_CHUNK)
        await database.execute(_REMOVE_SPELLINGS, of=generation, last=left[-1])


def _row(item: CatalogueItem) -> dict[str, object]:
    return {
        "sku": item.sku,
        "version": item.version,
        "name": item.name,
        "currency_code": item.price.currency_code,
        "price_minor_units": item.price.minor_units,
        "title": " ".join((*indexed_words(item.sku), *indexed_words(item.name))),
        "category": " ".join(indexed_words(item.category)),
        "description": " ".join(indexed_words(item.description)),
    }


def _spelt(row: dict[str, object]) -> Iterable[str]:
    """Words of a row that can be mistyped."""
    for name in ("title", "category", "description"):
        for word in str(row[name]).split():
            if mistakes(word) and is_spelt(word):
                yield word


def _spellings(generation: int, words: Iterable[str]) -> list[dict[str, object]]:
    """Rows of new words, in the order of their key."""
    pairs = sorted((variant, word) for word in words for variant in variants(word))
    return [{"generation": generation, "variant": variant, "word": word} for variant, word in pairs]
