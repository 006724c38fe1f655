"""Answers clients that browse the catalogue."""

from __future__ import annotations

from typing import Final

from seam.persistence import Database
from services.inventory.api import page_token
from services.inventory.domain.words import words
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.search import search
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
        self._items = ItemRepository(database)

    async def list_items(self, request: ListItemsRequest) -> ListItemsResponse:
        """One page of the items that match."""
        if not 0 <= request.page_size <= MAXIMUM_PAGE_SIZE:
            raise PageSizeOutOfRangeError(
                PageSizeOutOfRange(page_size=request.page_size, maximum=MAXIMUM_PAGE_SIZE)
            )
        sought = _words(request.query)
        try:
            after = page_token.decode(request.query, request.page_token)
        except ValueError:
            raise InvalidPageTokenError(InvalidPageToken(page_token=request.page_token)) from None
        size = request.page_size or DEFAULT_PAGE_SIZE
        # One more than asked for tells whether there is a next page.
        found = await self._find(sought, after, size + 1)
        items = found[:size]
        more = len(found) > size
        return ListItemsResponse(
            items=items,
            next_page_token=page_token.encode(request.query, items[-1].sku) if more else "",
        )

    async def get_item(self, request: GetItemRequest) -> Item:
        """One item."""
        item = await self._items.find(request.sku)
        if item is None:
            raise ItemNotFoundError(ItemNotFound(sku=request.sku))
        return item

    async def _find(
        self, sought: tuple[str, ...] | None, after: str, size: int
    ) -> tuple[Item, ...]:
        if sought is None:
            return await self._items.page(after, size)
        return await search(self._database, sought, after, size) if sought else ()


def _words(query: str) -> tuple[str, ...] | None:
    """The words of a query; None when it is blank."""
    if not query or query.isspace():
        return None
    too_long = len(query) > MAXIMUM_QUERY_LENGTH or len(query.split()) > MAXIMUM_WORDS
    found = () if too_long else words(query)
    if too_long or len(found) > MAXIMUM_WORDS:
        raise QueryTooLongError(
            QueryTooLong(maximum_words=MAXIMUM_WORDS, maximum_characters=MAXIMUM_QUERY_LENGTH)
        )
    # No item's text holds a NUL character.
    return () if "\0" in query else found
