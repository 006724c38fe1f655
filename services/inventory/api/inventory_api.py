"""Answers clients that browse the catalogue."""

from __future__ import annotations

from typing import Final

from seam.persistence import Database
from services.inventory.api import page_token
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import (
    GetItemRequest,
    InvalidPageToken,
    InvalidPageTokenError,
    Item,
    ItemNotFound,
    ItemNotFoundError,
    ListItemsRequest,
    ListItemsResponse,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    QueryTooLong,
    QueryTooLongError,
)

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 200
MAXIMUM_WORDS: Final = 32
MAXIMUM_QUERY_LENGTH: Final = 1_000


class InventoryApi:
    """Handler of `inventory.v1.InventoryApi`."""

    def __init__(self, database: Database) -> None:
        """Answer from `database`."""
        self._database = database

    async def list_items(self, request: ListItemsRequest) -> ListItemsResponse:
        """One page of the items that match."""
        if not 0 <= request.page_size <= MAXIMUM_PAGE_SIZE:
            raise PageSizeOutOfRangeError(
                PageSizeOutOfRange(page_size=request.page_size, maximum=MAXIMUM_PAGE_SIZE)
            )
        words = _words(request.query)
        try:
            after = page_token.decode(request.query, request.page_token)
        except ValueError:
            raise InvalidPageTokenError(InvalidPageToken(page_token=request.page_token)) from None
        size = request.page_size or DEFAULT_PAGE_SIZE
        async with self._database.read() as session:
            # One more than asked for tells whether there is a next page.
            found = await ItemRepository(session).page(words, after, size + 1)
        items = found[:size]
        more = len(found) > size
        return ListItemsResponse(
            items=items,
            next_page_token=page_token.encode(request.query, items[-1].sku) if more else "",
        )

    async def get_item(self, request: GetItemRequest) -> Item:
        """One item."""
        async with self._database.read() as session:
            item = await ItemRepository(session).find(request.sku)
        if item is None:
            raise ItemNotFoundError(ItemNotFound(sku=request.sku))
        return item


def _words(query: str) -> list[str]:
    words = query.split() if len(query) <= MAXIMUM_QUERY_LENGTH else None
    if words is None or len(words) > MAXIMUM_WORDS:
        raise QueryTooLongError(
            QueryTooLong(maximum_words=MAXIMUM_WORDS, maximum_characters=MAXIMUM_QUERY_LENGTH)
        )
    return words
