"""Finds items by the beginnings of their words, in the order of their SKUs.

Two ways lead to a page, and which is short depends on how many items match:

- *from the word*: all SKUs of the rarest word, sorted. Short when they are few.
- *from the shelf*: the next items in the order of their SKUs, of which those are kept that match.
  Short when many match; the first `WINDOW` items fill the page then.

So the items of each word are counted, up to `FEW`. If one of them has fewer, the page comes from
it. Otherwise the shelf is looked at, and only when its next part does not fill the page is it the
word again. None of this looks at the whole catalogue: what is read is bounded by the window, or by
the number of items that hold the rarest word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from seam.persistence import Query, Session
from services.inventory.persistence.items import ITEM_COLUMNS, item_of
from services.inventory.persistence.tables import ItemRow, SearchTextRow, SearchWordRow
from services.inventory.records.api import Item

FEW: Final = 500
"""Items of a word that are sorted without looking at the shelf."""

MANY: Final = 100_000
"""Items of a word up to which they are counted, when the shelf has not filled the page."""

WINDOW: Final = 2_000
"""Items of the shelf that are looked at."""

_LAST: Final = "\U0010ffff"
"""Comes after every character that a word may hold."""


def _of_word() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    word = col(SearchWordRow.word)
    return word >= bindparam("first"), word < bindparam("last")


_COUNT = Query(
    select(func.count()).select_from(
        select(col(SearchWordRow.sku)).where(*_of_word()).limit(bindparam("most")).subquery()
    ),
    int,
)


@cache
def _from_the_word(count: int) -> Query[Item]:
    """The statement for `count` words, of which the first is the rarest."""
    skus = select(col(SearchWordRow.sku)).where(
        *_of_word(), col(SearchWordRow.sku) > bindparam("after")
    )
    return _page(
        select(*ITEM_COLUMNS)
        .join(SearchTextRow, col(SearchTextRow.sku) == col(ItemRow.sku))
        .where(col(SearchTextRow.sku).in_(skus), *_matches(col(SearchTextRow.words), count))
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
        .where(*_matches(window.c.words, count))
    )


def _matches(words: Mapped[str] | ColumnElement[str], count: int) -> list[ColumnElement[bool]]:
    """Words hold letters and digits alone, so nothing in them is a wildcard."""
    return [words.like(bindparam(f"pattern_{number}")) for number in range(count)]


def _page(statement: Select[str, str, str, int, str, int, int]) -> Query[Item]:
    return Query(statement.order_by(col(ItemRow.sku)).limit(bindparam("size")), item_of)


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
    rarest, count = await _rarest(session, words, FEW)
    if count >= FEW:
        found = await session.fetch_all(
            _from_the_shelf(number), after=after, size=size, window=WINDOW, **patterns
        )
        if len(found) == size:
            return tuple(found)
        if number > 1:
            rarest, _ = await _rarest(session, words, MANY)
    found = await session.fetch_all(
        _from_the_word(number), **_range(rarest), after=after, size=size, **patterns
    )
    return tuple(found)


async def _rarest(session: Session, words: Sequence[str], most: int) -> tuple[str, int]:
    """The word that the fewest items hold, and how many do, which is at most `most`."""
    rarest, fewest = words[0], most
    # A long word is rare more often than a short one.
    for word in sorted(words, key=len, reverse=True):
        count = await session.fetch_one(_COUNT, **_range(word), most=fewest) or 0
        if count < fewest:
            rarest, fewest = word, count
        if not count:
            break
    return rarest, fewest


def _range(word: str) -> dict[str, object]:
    return {"first": word, "last": word + _LAST}
