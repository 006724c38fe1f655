"""Answers clients that look for something to buy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seam.persistence import Database
from services.search.api import page_token
from services.search.domain.correction import MOST_CORRECTED, is_correctable, most_frequent
from services.search.domain.spelling import nearest, variants
from services.search.domain.words import Term, sought_terms
from services.search.persistence.finding import count, find, neighbours
from services.search.records.api import (
    FoundItem,
    InvalidPageToken,
    InvalidPageTokenError,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    QueryTooLong,
    QueryTooLongError,
    SearchRequest,
    SearchResponse,
)

DEFAULT_PAGE_SIZE: Final = 20
MAXIMUM_PAGE_SIZE: Final = 100
MAXIMUM_RESULTS: Final = 1_000
MAXIMUM_WORDS: Final = 32
MAXIMUM_QUERY_LENGTH: Final = 200

_COMPARED: Final = 5
"""Words, equally near to a misspelt one, of which it is seen how many items hold them."""


class SearchApi:
    """Handler of `search.v1.SearchApi`."""

    def __init__(self, database: Database) -> None:
        """Answer from the index in `database`."""
        self._database = database

    async def search(self, request: SearchRequest) -> SearchResponse:
        """One page of the items that hold all words, corrected where no item holds one."""
        if not 0 <= request.page_size <= MAXIMUM_PAGE_SIZE:
            raise PageSizeOutOfRangeError(
                PageSizeOutOfRange(page_size=request.page_size, maximum=MAXIMUM_PAGE_SIZE)
            )
        terms = _terms(request.query)
        try:
            skipped = page_token.decode(terms, request.page_token)
        except ValueError:
            raise InvalidPageTokenError(InvalidPageToken(page_token=request.page_token)) from None
        size = min(request.page_size or DEFAULT_PAGE_SIZE, MAXIMUM_RESULTS - skipped)
        if not terms or size <= 0:
            return SearchResponse(items=(), did_you_mean="", next_page_token="")
        # One more than asked for tells whether there is a next page.
        found = await find(self._database, terms, skipped=skipped, size=size + 1)
        corrected: Sequence[Term] = ()
        if not found:
            corrected = await self._corrected(terms)
        if corrected:
            found = await find(self._database, corrected, skipped=skipped, size=size + 1)
        shown = skipped + size
        more = len(found) > size and shown < MAXIMUM_RESULTS
        return SearchResponse(
            items=tuple(
                FoundItem(sku=each.sku, name=each.name, price=each.price, score=each.score)
                for each in found[:size]
            ),
            did_you_mean=" ".join(term.word for term in corrected) if found else "",
            next_page_token=page_token.encode(terms, shown) if more else "",
        )

    async def _corrected(self, terms: Sequence[Term]) -> Sequence[Term]:
        """The words as they were probably meant; none when no item can be found by that."""
        unknown = [term for term in terms if not await count(self._database, term)]
        if not unknown or len(unknown) > MOST_CORRECTED:
            return ()
        meant: dict[Term, Term] = {}
        for term in unknown:
            word = await self._meant(term) if is_correctable(term) else None
            if word is None:
                return ()
            meant[term] = Term(word=word, begins=False)
        return tuple(meant.get(term, term) for term in terms)

    async def _meant(self, term: Term) -> str | None:
        near = await neighbours(self._database, sorted(variants(term.word)))
        counts = [
            (word, await count(self._database, Term(word=word, begins=False)))
            for word in nearest(term.word, near)[:_COMPARED]
        ]
        return most_frequent(counts)


def _terms(query: str) -> tuple[Term, ...]:
    too_long = len(query) > MAXIMUM_QUERY_LENGTH
    terms = () if too_long else sought_terms(query)
    if too_long or len(terms) > MAXIMUM_WORDS:
        raise QueryTooLongError(
            QueryTooLong(maximum_words=MAXIMUM_WORDS, maximum_characters=MAXIMUM_QUERY_LENGTH)
        )
    return terms
