"""Keeps the words of items, in the transaction that writes the items.

Two tables, the same on every database, since the words are made here and not there. `search_text`
has the words of each item; `search_word` has the items of each word, in the order of their SKUs.
What is found by the latter is held against the former, so a word too many does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from seam.persistence import Command, Database, Query, Session, one_of
from services.inventory.domain.words import words
from services.inventory.persistence.tables import ItemRow, SearchTextRow, SearchWordRow

_CHUNK: Final = 500
"""Items that get their words in one transaction when they lack them."""


def _pair(sku: str, text: str) -> tuple[str, str]:
    return sku, text


# Locked, and in order: somebody else who puts the same items would remove words that are needed.
_WORDS = Query(
    select(col(SearchTextRow.sku), col(SearchTextRow.words))
    .where(one_of(col(SearchTextRow.sku), "skus"))
    .order_by(col(SearchTextRow.sku))
    .with_for_update(),
    _pair,
)

_PUT = Command(
    lambda insert: (made := insert(SearchTextRow)).on_conflict_do_update(
        index_elements=["sku"], set_={"words": made.excluded.words}
    )
)

_ADD_WORD = Command(lambda insert: insert(SearchWordRow).on_conflict_do_nothing())

_REMOVE_WORD = Command(
    delete(SearchWordRow).where(
        col(SearchWordRow.word) == bindparam("word"), col(SearchWordRow.sku) == bindparam("sku")
    )
)

_LACKING = Query(
    select(col(ItemRow.sku), col(ItemRow.search_text))
    .where(
        ~select(col(SearchTextRow.sku)).where(col(SearchTextRow.sku) == col(ItemRow.sku)).exists(),
        col(ItemRow.sku) > bindparam("after"),
    )
    .order_by(col(ItemRow.sku))
    .limit(bindparam("size")),
    _pair,
)


class SearchIndex:
    """The words of items."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: the transaction that writes the items."""
        self._session = session

    async def put(self, lines: Mapping[str, str]) -> None:
        """Let items be found by their words, and by no other.

        Args:
            lines: the words by SKU, as `line_of` gives them.
        """
        before = dict(await self._session.fetch_all(_WORDS, skus=list(lines)))
        added: list[dict[str, object]] = []
        removed: list[dict[str, object]] = []
        changed: list[dict[str, object]] = []
        for sku, line in lines.items():
            old = before.get(sku)
            if old == line:
                continue
            changed.append({"sku": sku, "words": line})
            had, has = frozenset((old or "").split()), frozenset(line.split())
            added += ({"word": word, "sku": sku} for word in has - had)
            removed += ({"word": word, "sku": sku} for word in had - has)
        # In one order everywhere, so that two who write the same items never wait in a circle.
        added.sort(key=_place)
        removed.sort(key=_place)
        await self._session.execute_many(_PUT, changed)
        await self._session.execute_many(_ADD_WORD, added)
        await self._session.execute_many(_REMOVE_WORD, removed)


def line_of(text: str) -> str:
    """The words of what is searched, each between blanks."""
    return f" {' '.join(words(text))} "


async def index_missing(database: Database) -> int:
    """Give items their words that an earlier version has written, and tell how many there were."""
    count, after = 0, ""
    while lacking := await database.fetch_all(_LACKING, after=after, size=_CHUNK):
        async with database.transaction() as transaction:
            await SearchIndex(transaction).put({sku: line_of(text) for sku, text in lacking})
        count += len(lacking)
        after = lacking[-1][0]
    return count


def _place(row: Mapping[str, object]) -> tuple[str, str]:
    return str(row["word"]), str(row["sku"])
