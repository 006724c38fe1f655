"""Finds items by the beginnings of their words, in the order of their SKUs.

Two ways lead to a page, and which is short depends on how many items match:

- *from the word*: the SKUs of the rarest word, sorted. Short when they are few.
- *from the shelf*: the next items in the order of their SKUs, of which those are kept that match.
  Short when many match; the first `WINDOW` items fill the page then.

So the SKUs of each word are looked up, but no more than `FEW`. If a word has fewer, the page comes
from them. Otherwise the shelf is looked at, and only when its next part does not fill the page is
it the rarest word again: its first `CANDIDATES` items after those of the page before, then all of
them. None of this looks at the whole catalogue: what is read is bounded by the window, or by the
number of items that hold the rarest word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from seam.persistence import Query, Session, one_of
from services.inventory.persistence.items import ITEM_COLUMNS, item_of
from services.inventory.persistence.tables import ItemRow, SearchTextRow, SearchWordRow
from services.inventory.records.api import Item

FEW: Final = 500
"""Items of a word from which a page comes without a look at the shelf."""

MANY: Final = 10_000
"""Items of a word that are counted at first, when the shelf has not filled the page."""

WINDOW: Final = 2_000
"""Items of the shelf that are looked at."""

CANDIDATES: Final = 4_000
"""Items of the rarest word that are looked at before all of them are."""

EVERY: Final = 2**31 - 1
"""More items than there are."""

_LAST: Final = "\U0010ffff"
"""Comes after every character that a word may hold."""


def _of_word() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    word = col(SearchWordRow.word)
    return word >= bindparam("first"), word < bindparam("last")


# In the order of the index: a planner who does not know how many rows to expect would rather read
# the table from its beginning.
_FIRST: Final = (
    select(col(SearchWordRow.sku))
    .where(*_of_word())
    .order_by(col(SearchWordRow.word), col(SearchWordRow.sku))
    .limit(bindparam("most"))
)

_SKUS = Query(_FIRST, str)

_COUNT = Query(select(func.count()).select_from(_FIRST.subquery()), int, long=True)


@cache
def _among(count: int) -> Query[Item]:
    """The statement for `count` words and a list of SKUs."""
    return _page(
        select(*ITEM_COLUMNS)
        .join(SearchTextRow, col(SearchTextRow.sku) == col(ItemRow.sku))
        .where(one_of(col(SearchTextRow.sku), "skus"), *_matches(col(SearchTextRow.words), count)),
        col(SearchTextRow.sku),
    )


@cache
def _from_the_shelf(count: int) -> Query[Item]:
    """The statement for `count` words."""
    window = (
        select(col(SearchTextRow.sku), col(SearchTextRow.words))
        .where(col(SearchTextRow.sku) > bindparam("after"))
        .order_by(col(SearchTextRow.sku))
        .limit(bindparam("window"))
        .subquery()
    )
    return _page(
        select(*ITEM_COLUMNS)
        .join(window, window.c.sku == col(ItemRow.sku))
        .where(*_matches(window.c.words, count)),
        window.c.sku,
    )


@cache
def _from_the_word(count: int) -> Query[Item]:
    """The statement for `count` words, of which one gives the SKUs.

    However many these are, they stay in the database: as a list they would hold the event loop up.
    They are sorted, and held against the other words, before anything of the items is read.
    """
    holders = (
        select(col(SearchWordRow.sku))
        .where(*_of_word(), col(SearchWordRow.sku) > bindparam("after"))
        .distinct()
        .order_by(col(SearchWordRow.sku))
        .limit(bindparam("candidates"))
        .subquery()
    )
    matching = (
        select(holders.c.sku)
        .join(SearchTextRow, col(SearchTextRow.sku) == holders.c.sku)
        .where(*_matches(col(SearchTextRow.words), count))
        .order_by(holders.c.sku)
        .limit(bindparam("size"))
        .subquery()
    )
    return _page(
        select(*ITEM_COLUMNS).join(matching, matching.c.sku == col(ItemRow.sku)),
        matching.c.sku,
        long=True,
    )


def _matches(words: Mapped[str] | ColumnElement[str], count: int) -> list[ColumnElement[bool]]:
    """Words hold letters and digits alone, so nothing in them is a wildcard."""
    return [words.like(bindparam(f"pattern_{number}")) for number in range(count)]


def _page(
    statement: Select[str, str, str, int, str, int, int],
    sku: Mapped[str] | ColumnElement[str],
    *,
    long: bool = False,
) -> Query[Item]:
    """Order by the column that rows are found by; by the item's, SQLite would read all items."""
    return Query(statement.order_by(sku).limit(bindparam("size")), item_of, long=long)


async def search(session: Session, words: Sequence[str], after: str, size: int) -> tuple[Item, ...]:
    """Items in the order of their SKUs.

    Args:
        session: where the catalogue is.
        words: with each of these a word of the item begins; as `domain.words` gives them.
        after: only items whose SKU comes after this one; "" for the first page.
        size: the most items to give.
    """
    patterns: dict[str, object] = {
        f"pattern_{number}": f"% {word}%" for number, word in enumerate(words)
    }
    number = len(words)
    skus = await _fewest(session, words)
    if len(skus) < FEW:
        left = [sku for sku in skus if sku > after]
        if not left:
            return ()
        found = await session.fetch_all(_among(number), skus=left, size=size, **patterns)
        return tuple(found)
    found = await session.fetch_all(
        _from_the_shelf(number), after=after, size=size, window=WINDOW, **patterns
    )
    if len(found) == size:
        return tuple(found)
    rarest = await _rarest(session, words) if number > 1 else words[0]
    for candidates in (CANDIDATES, EVERY):
        found = await session.fetch_all(
            _from_the_word(number),
            **_range(rarest),
            after=after,
            candidates=candidates,
            size=size,
            **patterns,
        )
        if len(found) == size:
            break
    return tuple(found)


async def _fewest(session: Session, words: Sequence[str]) -> list[str]:
    """The SKUs of the word that the fewest items hold, as far as it has fewer than `FEW`."""
    fewest: list[str] | None = None
    # A long word is rare more often than a short one.
    for word in sorted(words, key=len, reverse=True):
        most = FEW if fewest is None else len(fewest)
        skus = await session.fetch_all(_SKUS, **_range(word), most=most)
        if fewest is None or len(skus) < len(fewest):
            fewest = skus
        if not fewest:
            break
    return fewest or []


async def _rarest(session: Session, words: Sequence[str]) -> str:
    """The word that the fewest items hold.

    Few are counted at first, and more when no word has fewer: what is counted of a word that many
    hold is bounded by how many hold the rarest.
    """
    rarest, fewest, most = words[0], 0, MANY
    while not fewest:
        for word in sorted(words, key=len, reverse=True):
            limit = fewest or most
            count = await session.fetch_one(_COUNT, **_range(word), most=limit) or 0
            if count < limit:
                rarest, fewest = word, max(count, 1)
        most *= 8
    return rarest


def _range(word: str) -> dict[str, object]:
    return {"first": word, "last": word + _LAST}
