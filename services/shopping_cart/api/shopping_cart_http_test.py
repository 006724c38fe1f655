"""The shopping cart's API as browsers see it, over a real database and a mock of inventory."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from contract.v1.money import Money

from seam.contract.errors import Code, StatusError
from seam.http import application
from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    StockItem,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.shopping_cart.api.shopping_cart_api import ShoppingCartApi
from services.shopping_cart.records.api_bus import register_shopping_cart_api
from services.shopping_cart.records.api_routes import SHOPPING_CART_API_HTTP


def look_up(request: BatchGetItemsRequest) -> BatchGetItemsResponse:
    """Five each of A, B and Bär, for 2.50 EUR."""
    price = Money(currency_code="EUR", minor_units=250)
    return BatchGetItemsResponse(
        items=tuple(
            StockItem(sku=sku, name=f"Item {sku}", price=price, available=5)
            for sku in request.skus
            if sku in {"A", "B", "Bär"}
        )
    )


@pytest.fixture
def inventory() -> InventoryMock:
    """A mock of inventory."""
    mock = InventoryMock()
    mock.batch_get_items.answers(look_up)
    return mock


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(database: Database, inventory: InventoryMock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API."""
    api = ShoppingCartApi(database, inventory.stub())
    channel = strict_channel(register_shopping_cart_api(api))
    app = application([SHOPPING_CART_API_HTTP], lambda _: channel, ready, title="test")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


@pytest.fixture
async def cart(http: httpx.AsyncClient) -> str:
    """The path of a new cart."""
    return f"/v1/carts/{(await http.post('/v1/carts')).json()['cartId']}"


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, which must have `status` and `code`."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["code"] == code
    return document


@pytest.mark.parametrize("body", [b"", b"{}", b" { } \n"])
async def test_a_new_cart_needs_no_body(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/v1/carts", content=body)
    assert response.status_code == 200
    document = response.json()
    assert uuid.UUID(document.pop("cartId")).version == 4
    assert document == {"lines": []}


async def test_a_cart_is_shown_as_proto_json(http: httpx.AsyncClient, cart: str) -> None:
    put = await http.put(f"{cart}/items/A", json={"quantity": 3})
    assert put.status_code == 200
    shown = await http.get(cart)
    assert shown.json() == put.json()
    document = shown.json()
    assert f"/v1/carts/{document.pop('cartId')}" == cart
    assert document == {
        "lines": [
            {
                "sku": "A",
                "quantity": 3,
                "name": "Item A",
                "unitPrice": {"currencyCode": "EUR", "minorUnits": "250"},
                "lineTotal": {"currencyCode": "EUR", "minorUnits": "750"},
                "availability": "AVAILABILITY_IN_STOCK",
                "available": 5,
            }
        ],
        "total": {"currencyCode": "EUR", "minorUnits": "750"},
    }


async def test_an_item_that_is_no_longer_sold_is_shown_without_prices(
    http: httpx.AsyncClient, cart: str, inventory: InventoryMock
) -> None:
    await http.put(f"{cart}/items/A", json={"quantity": 1})
    inventory.batch_get_items.returns(BatchGetItemsResponse(items=()))
    document = (await http.get(cart)).json()
    assert document["lines"] == [
        {
            "sku": "A",
            "quantity": 1,
            "name": "",
            "availability": "AVAILABILITY_DISCONTINUED",
            "available": 0,
        }
    ]
    assert "total" not in document


async def test_an_item_can_be_removed_by_delete_and_by_a_quantity_of_0(
    http: httpx.AsyncClient, cart: str
) -> None:
    for sku in ("A", "B"):
        await http.put(f"{cart}/items/{sku}", json={"quantity": 1})
    deleted = await http.delete(f"{cart}/items/A")
    assert deleted.status_code == 200
    assert [line["sku"] for line in deleted.json()["lines"]] == ["B"]
    emptied = await http.put(f"{cart}/items/B", json={"quantity": 0})
    assert emptied.json()["lines"] == []


async def test_a_sku_in_a_path_may_hold_any_letter(http: httpx.AsyncClient, cart: str) -> None:
    response = await http.put(f"{cart}/items/B%C3%A4r", json={"quantity": 1})
    assert [line["sku"] for line in response.json()["lines"]] == ["Bär"]


@pytest.mark.parametrize("name", ["sku", "cartId", "cart_id"])
async def test_what_the_path_says_the_body_must_leave_out(
    http: httpx.AsyncClient, cart: str, name: str
) -> None:
    response = await http.put(f"{cart}/items/A", json={"quantity": 1, name: "A"})
    document = problem(response, 400, "INVALID_ARGUMENT")
    assert [error["field"] for error in document["errors"]] == [name]
    assert (await http.get(cart)).json()["lines"] == []


@pytest.mark.parametrize("quantity", ["2", 2.0, "2e0"])
async def test_a_quantity_may_be_written_as_proto_json_allows(
    http: httpx.AsyncClient, cart: str, quantity: object
) -> None:
    response = await http.put(f"{cart}/items/A", json={"quantity": quantity})
    assert [line["quantity"] for line in response.json()["lines"]] == [2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "quantity"),
        (b"{}", "quantity"),
        (b'{"quantity": null}', "quantity"),
        (b'{"quantity": "two"}', "quantity"),
        (b'{"quantity": 1.5}', "quantity"),
        (b'{"quantity": true}', "quantity"),
        (b'{"quantity": 4294967296}', "quantity"),
        (b'{"quantity": [1]}', "quantity"),
        (b'{"quantity": 1, "quantity": 2}', "quantity"),
        (b'{"quantity": 1, "colour": "blue"}', "colour"),
        (b'{"quantity": NaN}', "quantity"),
        (b'{"quantity": ' + b"9" * 10_000 + b"}", "quantity"),
        (b'{"quantity": 1, "\\ud800": 1}', "\\ud800"),
        (b"[]", ""),
        (b"7", ""),
        (b"null", ""),
        (b'"quantity"', ""),
        (b"{quantity: 1}", ""),
        (b'{"quantity": 1', ""),
        (b'{"quantity": 1} {}', ""),
        (b"\xff\xfe", ""),
        (b"[" * 100_000, ""),
    ],
)
async def test_a_malformed_body_is_a_problem_that_says_where_and_changes_nothing(
    http: httpx.AsyncClient, cart: str, body: bytes, field: str
) -> None:
    document = problem(await http.put(f"{cart}/items/A", content=body), 400, "INVALID_ARGUMENT")
    assert document["detail"]
    assert [error["field"] for error in document["errors"]] == ([field] if field else [])
    assert (await http.get(cart)).json()["lines"] == []


@pytest.mark.parametrize(
    ("sku", "quantity", "problem_of"),
    [
        ("A", 6, (400, "FAILED_PRECONDITION", "OutOfStock")),
        ("C", 1, (404, "NOT_FOUND", "ItemNotFound")),
        ("A%00", 1, (404, "NOT_FOUND", "ItemNotFound")),
        ("A", 1000, (400, "OUT_OF_RANGE", "QuantityOutOfRange")),
        ("A", -1, (400, "OUT_OF_RANGE", "QuantityOutOfRange")),
    ],
)
async def test_a_quantity_that_is_refused_is_a_typed_problem(
    http: httpx.AsyncClient,
    cart: str,
    sku: str,
    quantity: int,
    problem_of: tuple[int, str, str],
) -> None:
    status, code, error = problem_of
    response = await http.put(f"{cart}/items/{sku}", json={"quantity": quantity})
    document = problem(response, status, code)
    assert document["error"] == error
    assert document["type"] == f"/schema#/components/schemas/shopping_cart.v1.{error}"
    schemas = (await http.get("/schema")).json()["components"]["schemas"]
    assert f"shopping_cart.v1.{error}" in schemas


async def test_a_typed_problem_brings_the_fields_of_its_error(
    http: httpx.AsyncClient, cart: str
) -> None:
    short = (await http.put(f"{cart}/items/A", json={"quantity": 6})).json()
    assert short["fields"] == {"sku": "A", "requested": 6, "available": 5}
    assert short["detail"] == "6 of 'A' were asked for and 5 are in stock."
    too_many = (await http.put(f"{cart}/items/A", json={"quantity": 1000})).json()
    assert too_many["fields"] == {"quantity": 1000, "maximum": 999}


@pytest.mark.parametrize("cart_id", ["nobody's", "%00", "00000000-0000-4000-8000-000000000000"])
async def test_an_unknown_cart_is_a_typed_problem_for_every_method(
    http: httpx.AsyncClient, cart_id: str
) -> None:
    path = f"/v1/carts/{cart_id}"
    for response in (
        await http.get(path),
        await http.put(f"{path}/items/A", json={"quantity": 1}),
        await http.delete(f"{path}/items/A"),
    ):
        assert problem(response, 404, "NOT_FOUND")["error"] == "CartNotFound"


async def test_when_inventory_is_away_the_cart_is_a_problem_that_says_so(
    http: httpx.AsyncClient, cart: str, inventory: InventoryMock
) -> None:
    inventory.batch_get_items.raises(StatusError(Code.UNAVAILABLE, "inventory is away"))
    response = await http.put(f"{cart}/items/A", json={"quantity": 1})
    assert problem(response, 503, "UNAVAILABLE")["detail"] == "inventory is away"


async def test_a_defect_is_a_problem_that_tells_nothing_but_an_id(
    http: httpx.AsyncClient, cart: str, inventory: InventoryMock
) -> None:
    def fail(_: BatchGetItemsRequest) -> BatchGetItemsResponse:
        raise RuntimeError("secret")

    inventory.batch_get_items.answers(fail)
    response = await http.put(f"{cart}/items/A", json={"quantity": 1})
    assert problem(response, 500, "INTERNAL")["detail"].startswith("internal error ")
    assert "secret" not in response.text


async def test_a_method_that_is_not_in_the_contract_is_a_problem(
    http: httpx.AsyncClient, cart: str
) -> None:
    problem(await http.delete(cart), 405, "UNIMPLEMENTED")
