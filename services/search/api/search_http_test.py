"""The search as browsers see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from contract.v1.money import Money

from seam.http import application
from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.records.messagebus import CatalogueItem
from services.search.api.search_api import SearchApi
from services.search.persistence.documents import Documents, prepared
from services.search.persistence.generations import (
    begin_generation,
    finish_generation,
    make_state,
)
from services.search.records.api_bus import register_search_api
from services.search.records.api_routes import SEARCH_API_HTTP


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the search over two items."""
    await make_state(database)
    generation = await begin_generation(database, "me", 1, 1_000_000)
    assert generation is not None
    price = Money(currency_code="EUR", minor_units=2_590)
    items = [
        CatalogueItem(sku=sku, name=name, description="", category="", price=price, version=1)
        for sku, name in (("TASSE", "Große Tasse"), ("TOPF", "Großer Topf"))
    ]
    async with database.transaction() as transaction:
        await Documents(transaction).put((generation,), prepared(items))
    await finish_generation(database, generation)
    channel = strict_channel(register_search_api(SearchApi(database)))
    app = application([SEARCH_API_HTTP], lambda _: channel, ready, title="test")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def test_a_search_shows_items_with_their_prices(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/v1/search", params={"query": "GROSSE tasse"})).json()
    (item,) = answer["items"]
    assert item.pop("score") > 0
    assert item == {
        "sku": "TASSE",
        "name": "Große Tasse",
        "price": {"currencyCode": "EUR", "minorUnits": "2590"},
    }
    assert (answer["didYouMean"], answer["nextPageToken"]) == ("", "")


async def test_a_typing_error_is_told(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/v1/search?query=tsase")).json()
    assert answer["didYouMean"] == "tasse"
    assert [item["sku"] for item in answer["items"]] == ["TASSE"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("query=" + "x" * 10_000, "QueryTooLong"),
        ("query=tasse&pageSize=101", "PageSizeOutOfRange"),
        ("query=tasse&pageToken=x", "InvalidPageToken"),
    ],
)
async def test_what_cannot_be_searched_is_a_problem_that_says_why(
    http: httpx.AsyncClient, query: str, error: str
) -> None:
    response = await http.get(f"/v1/search?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"] == error


@pytest.mark.parametrize(
    "query", ["%00", "%22", "%27%20OR%201%3D1", "*", "a%20NEAR%20b", "%F0%9F%A6%8A"]
)
async def test_signs_are_answered_like_any_other_query(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get(f"/v1/search?query={query}")
    assert response.status_code == 200
    assert response.json()["items"] == []
