from __future__ import annotations

from collections.abc import Sequence

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.records.messagebus import CatalogueItem, ItemChanged
from services.search.api.search_api import (
    MAXIMUM_QUERY_LENGTH,
    MAXIMUM_RESULTS,
    MAXIMUM_WORDS,
    SearchApi,
)
from services.search.indexing.catalogue_changes import index_changed_item
from services.search.persistence.documents import Documents, prepared
from services.search.persistence.generations import (
    begin_generation,
    finish_generation,
    make_state,
)
from services.search.records.api import (
    InvalidPageTokenError,
    PageSizeOutOfRangeError,
    QueryTooLongError,
    SearchRequest,
    SearchResponse,
)
from services.search.records.api_bus import SearchApiStub, register_search_api

PRICE = Money(currency_code="EUR", minor_units=990)


def an_item(sku: str, name: str, description: str = "", *, version: int = 1) -> CatalogueItem:
    return CatalogueItem(
        sku=sku, name=name, description=description, category="", price=PRICE, version=version
    )


ITEMS = (
    an_item("A", "Oak board", "For bread."),
    an_item("B", "Oak table"),
    an_item("C", "Mechanical keyboard"),
    an_item("D", "Steel ruler"),
    an_item("E", "Steel spade"),
    an_item("F", "Steal of the day"),
)


async def build(database: Database, items: Sequence[CatalogueItem]) -> None:
    await make_state(database)
    generation = await begin_generation(database, "me", 1, 1_000_000)
    assert generation is not None
    async with database.transaction() as transaction:
        await Documents(transaction).put((generation,), prepared(items))
    await finish_generation(database, generation)


@pytest.fixture
async def api(database: Database) -> SearchApiStub:
    """The search over `ITEMS`."""
    await build(database, ITEMS)
    return SearchApiStub(strict_channel(register_search_api(SearchApi(database))))


async def search(
    api: SearchApiStub, query: str, *, page_size: int = 0, page_token: str = ""
) -> SearchResponse:
    return await api.search(SearchRequest(query=query, page_size=page_size, page_token=page_token))


def skus(answer: SearchResponse) -> list[str]:
    return [item.sku for item in answer.items]


async def test_items_are_shown_with_name_price_and_score(api: SearchApiStub) -> None:
    answer = await search(api, "bread")
    (item,) = answer.items
    assert (item.sku, item.name, item.price) == ("A", "Oak board", PRICE)
    assert item.score > 0
    assert (answer.did_you_mean, answer.next_page_token) == ("", "")


@pytest.mark.parametrize(
    ("query", "meant", "expected"),
    [
        ("oka board", "oak board", ["A"]),
        ("keybord", "keyboard", ["C"]),
        ("Mechanicla KEYBAORD", "mechanical keyboard", ["C"]),
        # Two items hold one, and one item the other.
        ("steil", "steel", ["D", "E"]),
        # Every word is known.
        ("oak keyboard", "", []),
        # Nothing is near.
        ("piano", "", []),
        ("oak piano", "", []),
        # Corrected, and there is no item of both.
        ("keybord table", "", []),
        # Numbers and codes are not corrected, and nor are many words at once.
        ("oak 0001", "", []),
        ("xoak xtable xboard xsteel xruler", "", []),
    ],
)
async def test_a_typing_error_is_corrected_where_no_item_holds_the_word(
    api: SearchApiStub, query: str, meant: str, expected: list[str]
) -> None:
    answer = await search(api, query)
    assert (answer.did_you_mean, skus(answer)) == (meant, expected)


@pytest.mark.parametrize("query", ["", "   ", '"*', "\0", "\t\n", "🦊", "--", "()"])
async def test_a_query_without_words_finds_nothing(api: SearchApiStub, query: str) -> None:
    assert await search(api, query) == SearchResponse(items=(), did_you_mean="", next_page_token="")


@pytest.mark.parametrize(
    "query",
    [
        "x" * (MAXIMUM_QUERY_LENGTH + 1),
        "7" * 10_000,
        " ".join(f"w{number}" for number in range(MAXIMUM_WORDS + 1)),
        "京" + "".join(map(chr, range(0x4E00, 0x4E00 + 50))),
    ],
)
async def test_a_query_that_is_too_long_is_refused(api: SearchApiStub, query: str) -> None:
    with pytest.raises(QueryTooLongError):
        await search(api, query)


async def test_the_longest_query_is_answered(api: SearchApiStub) -> None:
    words = " ".join(f"{number:04}" for number in range(MAXIMUM_WORDS))
    assert skus(await search(api, words)) == []
    assert skus(await search(api, "x" * MAXIMUM_QUERY_LENGTH)) == []


@pytest.mark.parametrize("size", [-1, 101])
async def test_a_page_of_another_size_is_refused(api: SearchApiStub, size: int) -> None:
    with pytest.raises(PageSizeOutOfRangeError):
        await search(api, "oak", page_size=size)


async def test_pages_put_together_are_all_that_was_found(api: SearchApiStub) -> None:
    first = await search(api, "oak", page_size=1)
    second = await search(api, "oak", page_size=1, page_token=first.next_page_token)
    assert sorted(skus(first) + skus(second)) == ["A", "B"]
    assert second.next_page_token == ""


async def test_a_corrected_query_has_pages_too(api: SearchApiStub) -> None:
    first = await search(api, "steil", page_size=1)
    second = await search(api, "steil", page_size=1, page_token=first.next_page_token)
    assert skus(first) + skus(second) == ["D", "E"]


async def test_a_token_of_another_query_is_refused(api: SearchApiStub) -> None:
    token = (await search(api, "oak", page_size=1)).next_page_token
    assert token
    with pytest.raises(InvalidPageTokenError):
        await search(api, "steel", page_token=token)


async def test_no_more_than_the_best_thousand_can_be_had(database: Database) -> None:
    await build(database, [an_item(f"M{number:05}", "Mug") for number in range(1_050)])
    api = SearchApiStub(strict_channel(register_search_api(SearchApi(database))))
    seen: list[str] = []
    token = ""
    while True:
        answer = await search(api, "mug", page_size=100, page_token=token)
        seen += skus(answer)
        token = answer.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == MAXIMUM_RESULTS


async def test_an_item_is_found_as_it_is_after_a_change(
    api: SearchApiStub, database: Database
) -> None:
    renamed = an_item("A", "Walnut board", version=2)
    async with database.transaction() as transaction:
        await index_changed_item(ItemChanged(sku="A", item=renamed), transaction)
    assert skus(await search(api, "oak")) == ["B"]
    assert skus(await search(api, "walnut")) == ["A"]
    assert skus(await search(api, "bread")) == []


async def test_an_event_that_is_old_or_comes_again_changes_nothing(
    api: SearchApiStub, database: Database
) -> None:
    for version, name in ((3, "Walnut board"), (2, "Beech board"), (3, "Walnut board")):
        async with database.transaction() as transaction:
            item = an_item("A", name, version=version)
            await index_changed_item(ItemChanged(sku="A", item=item), transaction)
        assert [item.name for item in (await search(api, "board")).items] == ["Walnut board"]
    assert skus(await search(api, "beech")) == []
