from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.api.inventory_api import InventoryApi
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import (
    Category,
    GetItemRequest,
    InvalidPageToken,
    InvalidPageTokenError,
    Item,
    ItemNotFound,
    ItemNotFoundError,
    ListItemsRequest,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    QueryTooLong,
    QueryTooLongError,
)
from services.inventory.records.api_bus import InventoryApiStub, register_inventory_api

ITEMS = 120


def an_item(number: int) -> Item:
    return Item(
        sku=f"SKU-{number:04}",
        name="Even" if number % 2 == 0 else "Odd",
        description="A thing.",
        category=Category.HOME,
        price=Money(currency_code="EUR", minor_units=number),
        stock=number,
    )


@pytest.fixture
async def api(database: Database) -> InventoryApiStub:
    """The API over a catalogue of `ITEMS` items."""
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put([an_item(number) for number in range(ITEMS)])
    channel = strict_channel(register_inventory_api(InventoryApi(database)))
    return InventoryApiStub(channel)


def listing(query: str = "", size: int = 0, token: str = "") -> ListItemsRequest:
    return ListItemsRequest(query=query, page_size=size, page_token=token)


async def pages(api: InventoryApiStub, query: str, size: int) -> list[list[str]]:
    found = []
    token = ""
    while True:
        answer = await api.list_items(listing(query, size, token))
        found.append([item.sku for item in answer.items])
        token = answer.next_page_token
        if not token:
            return found


async def test_an_item_is_shown_whole(api: InventoryApiStub) -> None:
    assert await api.get_item(GetItemRequest(sku="SKU-0042")) == an_item(42)


@pytest.mark.parametrize("sku", ["", "sku-0042", "SKU-9999", "SKU-0042\0"])
async def test_an_unknown_sku_is_not_found(api: InventoryApiStub, sku: str) -> None:
    with pytest.raises(ItemNotFoundError) as caught:
        await api.get_item(GetItemRequest(sku=sku))
    assert caught.value.record == ItemNotFound(sku=sku)


async def test_a_page_has_50_items_unless_asked_otherwise(api: InventoryApiStub) -> None:
    answer = await api.list_items(listing())
    assert answer.items == tuple(an_item(number) for number in range(50))
    assert answer.next_page_token


@pytest.mark.parametrize("size", [1, 7, 60, 119, 120, 121, 200])
async def test_pages_of_any_size_put_together_are_the_whole_catalogue(
    api: InventoryApiStub, size: int
) -> None:
    found = await pages(api, "", size)
    assert [sku for page in found for sku in page] == [an_item(n).sku for n in range(ITEMS)]
    assert {len(page) for page in found[:-1]} <= {size}
    assert found[-1], "a full last page is not followed by an empty one"


async def test_a_search_is_paged_like_the_catalogue(api: InventoryApiStub) -> None:
    found = await pages(api, "ODD  thing", 25)
    assert [len(page) for page in found] == [25, 25, 10]
    assert found[0][:2] == ["SKU-0001", "SKU-0003"]


async def test_a_search_without_matches_is_one_empty_page(api: InventoryApiStub) -> None:
    assert await pages(api, "unicorn", 10) == [[]]


@pytest.mark.parametrize("query", ["", "   ", "\t\n"])
async def test_a_query_without_words_matches_everything(api: InventoryApiStub, query: str) -> None:
    assert len((await api.list_items(listing(query, 200))).items) == ITEMS


async def test_a_query_with_a_nul_character_matches_nothing(api: InventoryApiStub) -> None:
    assert (await api.list_items(listing("thing\0"))).items == ()


@pytest.mark.parametrize("query", ["a " * 33, "a" * 1_001, "a " * 3_000])
async def test_a_query_for_too_much_is_refused(api: InventoryApiStub, query: str) -> None:
    with pytest.raises(QueryTooLongError) as caught:
        await api.list_items(listing(query))
    assert caught.value.record == QueryTooLong(maximum_words=32, maximum_characters=1_000)


async def test_a_query_of_the_longest_length_is_answered(api: InventoryApiStub) -> None:
    assert (await api.list_items(listing("a " * 32))).items is not None
    assert (await api.list_items(listing("\U0001f4a1" * 1_000))).items == ()


@pytest.mark.parametrize("size", [-1, 201, 2**31 - 1, -(2**31)])
async def test_a_page_size_out_of_range_is_refused(api: InventoryApiStub, size: int) -> None:
    with pytest.raises(PageSizeOutOfRangeError) as caught:
        await api.list_items(listing(size=size))
    assert caught.value.record == PageSizeOutOfRange(page_size=size, maximum=200)


async def test_a_token_of_another_query_is_refused(api: InventoryApiStub) -> None:
    token = (await api.list_items(listing("odd", 10))).next_page_token
    with pytest.raises(InvalidPageTokenError) as caught:
        await api.list_items(listing("even", 10, token))
    assert caught.value.record == InvalidPageToken(page_token=token)


@pytest.mark.parametrize("token", ["2", "SKU-0001", "ß", "====", "\0", "A" * 5000])
async def test_a_made_up_token_is_refused(api: InventoryApiStub, token: str) -> None:
    with pytest.raises(InvalidPageTokenError):
        await api.list_items(listing(token=token))


async def test_the_page_size_may_change_between_pages(api: InventoryApiStub) -> None:
    first = await api.list_items(listing(size=10))
    second = await api.list_items(listing(size=3, token=first.next_page_token))
    assert [item.sku for item in second.items] == ["SKU-0010", "SKU-0011", "SKU-0012"]
