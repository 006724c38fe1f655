"""The inventory's API as browsers see it: HTTP in, a real database behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from contract.v1.money import Money

from seam.http import application
from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.api.inventory_api import InventoryApi
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Category, Item
from services.inventory.records.api_bus import register_inventory_api
from services.inventory.records.api_routes import INVENTORY_API_HTTP

MUG = {
    "sku": "KIT-MUG-0001",
    "name": "Becher „Größe“",
    "description": "",
    "category": "CATEGORY_KITCHEN",
    "price": {"currencyCode": "EUR", "minorUnits": "990"},
    "stock": 0,
}


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API over a catalogue of three items."""
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(
            [
                Item(
                    sku=sku,
                    name=name,
                    description="",
                    category=category,
                    price=Money(currency_code="EUR", minor_units=990),
                    stock=0,
                )
                for sku, name, category in (
                    ("KIT-MUG-0001", "Becher „Größe“", Category.KITCHEN),
                    ("KIT-MUG-0002", "Mug", Category.KITCHEN),
                    ("Ærø 100%/x", "Odd SKU", Category(77)),
                )
            ]
        )
    channel = strict_channel(register_inventory_api(InventoryApi(database)))
    app = application([INVENTORY_API_HTTP], lambda _: channel, ready, title="test")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, which must have `status` and `code`."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["title"]
    assert document["detail"]
    return document


async def test_an_item_is_shown_as_proto_json_with_every_field(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/inventory/KIT-MUG-0001")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == MUG


async def test_a_category_that_this_version_does_not_know_is_shown_as_its_number(
    http: httpx.AsyncClient,
) -> None:
    listed = (await http.get("/v1/inventory", params={"query": "odd"})).json()["items"]
    assert [item["category"] for item in listed] == [77]


async def test_items_are_listed_in_pages(http: httpx.AsyncClient) -> None:
    first = (await http.get("/v1/inventory", params={"pageSize": 2})).json()
    assert [item["sku"] for item in first["items"]] == ["KIT-MUG-0001", "KIT-MUG-0002"]
    token = first["nextPageToken"]
    last = (await http.get("/v1/inventory", params={"pageSize": 2, "pageToken": token})).json()
    assert [item["sku"] for item in last["items"]] == ["Ærø 100%/x"]
    assert last["nextPageToken"] == ""


async def test_parameters_go_by_the_names_of_the_contract_as_well(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/inventory", params={"page_size": 1})
    assert len(response.json()["items"]) == 1


@pytest.mark.parametrize("query", ["größe", "GRÖSSE becher", "  kitchen   0001 "])
async def test_a_search_goes_by_words_in_any_case(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get("/v1/inventory", params={"query": query})
    assert [item["sku"] for item in response.json()["items"]] == ["KIT-MUG-0001"]


async def test_an_empty_list_is_printed_as_one(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/inventory", params={"query": "unicorn"})
    assert response.json() == {"items": [], "nextPageToken": ""}


@pytest.mark.parametrize("sku", ["nothing", "kit-mug-0001", "%C3%9F", "KIT-MUG-0001%00"])
async def test_an_unknown_item_is_a_typed_problem_with_its_fields(
    http: httpx.AsyncClient, sku: str
) -> None:
    document = problem(await http.get(f"/v1/inventory/{sku}"), 404, "NOT_FOUND")
    assert document["error"] == "ItemNotFound"
    assert document["title"] == "Item not found"
    assert document["type"] == "/schema#/components/schemas/inventory.v1.ItemNotFound"


async def test_a_problem_names_the_schema_that_the_process_serves(http: httpx.AsyncClient) -> None:
    document = (await http.get("/v1/inventory/nothing")).json()
    assert document["fields"] == {"sku": "nothing"}
    assert document["detail"] == "There is no item with the SKU 'nothing'."
    schemas = (await http.get("/schema")).json()["components"]["schemas"]
    assert document["type"].rpartition("/")[2] in schemas


@pytest.mark.parametrize("size", ["201", "-1"])
async def test_a_page_size_out_of_range_is_a_typed_problem(
    http: httpx.AsyncClient, size: str
) -> None:
    response = await http.get("/v1/inventory", params={"pageSize": size})
    document = problem(response, 400, "INVALID_ARGUMENT")
    assert document["error"] == "PageSizeOutOfRange"
    assert document["fields"] == {"pageSize": int(size), "maximum": 200}


@pytest.mark.parametrize("token", ["garbage", "%00", "ß", "AAAAAAAA"])
async def test_a_page_token_that_no_page_gave_is_a_typed_problem(
    http: httpx.AsyncClient, token: str
) -> None:
    response = await http.get("/v1/inventory", params={"pageToken": token})
    assert problem(response, 400, "INVALID_ARGUMENT")["error"] == "InvalidPageToken"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pageSize=many", "pageSize"),
        ("pageSize=1.5", "pageSize"),
        ("pageSize=", "pageSize"),
        ("pageSize=99999999999", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("pageSize=1&page_size=1", "pageSize"),
        ("colour=blue", "colour"),
    ],
)
async def test_a_parameter_that_is_not_in_the_contract_is_a_problem_that_names_it(
    http: httpx.AsyncClient, query: str, field: str
) -> None:
    response = await http.get(f"/v1/inventory?{query}")
    document = problem(response, 400, "INVALID_ARGUMENT")
    (error,) = document["errors"]
    assert error["field"] == field
    assert error["detail"]


async def test_bytes_that_are_no_text_are_a_problem(http: httpx.AsyncClient) -> None:
    problem(await http.get("/v1/inventory?query=%FF"), 400, "INVALID_ARGUMENT")


async def test_a_nul_character_in_a_query_matches_nothing(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/inventory?query=mug%00")
    assert response.json() == {"items": [], "nextPageToken": ""}


async def test_a_path_that_is_not_in_the_contract_is_a_problem(http: httpx.AsyncClient) -> None:
    problem(await http.get("/v1/stock"), 404, "NOT_FOUND")


async def test_a_method_that_is_not_in_the_contract_is_a_problem(http: httpx.AsyncClient) -> None:
    response = await http.post("/v1/inventory", json={})
    problem(response, 405, "UNIMPLEMENTED")
    assert "GET" in response.headers["allow"]
