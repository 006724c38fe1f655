"""The API of orders as browsers see it, over a real database and mocks of the other services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from seam.http import application
from seam.persistence import Database
from seam.sagas import SagaRunner
from seam.testing import strict_channel
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.api.orders_api import OrdersApi
from services.orders.persistence.tables import SAGAS
from services.orders.records.api_bus import register_orders_api
from services.orders.records.api_routes import ORDERS_API_HTTP
from services.orders.sagas.checkout import Checkout
from services.payments.records.messagebus_mock import PaymentsMock
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock

KEY = {"Idempotency-Key": "key"}


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(
    database: Database,
    inventory: InventoryMock,
    payments: PaymentsMock,
    shopping_cart: ShoppingCartMock,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API."""
    checkout = Checkout(inventory.stub(), payments.stub())
    runner = SagaRunner(database, SAGAS, (checkout.saga,))
    api = OrdersApi(database, runner, checkout, inventory.stub(), shopping_cart.stub())
    channel = strict_channel(register_orders_api(api))
    app = application([ORDERS_API_HTTP], lambda _: channel, ready, title="test")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with (
        runner.running(),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield client


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    return document


async def test_an_order_is_placed_shown_and_cancelled(http: httpx.AsyncClient) -> None:
    placed = await http.post("/v1/orders", json={"cartId": "mine"}, headers=KEY)
    assert placed.status_code == 200, placed.text
    order = placed.json()
    assert order["state"] == "ORDER_STATE_CONFIRMED"
    assert order["total"] == {"currencyCode": "EUR", "minorUnits": "1500"}
    assert [entry["event"] for entry in order["timeline"]] == [
        "ORDER_EVENT_PLACED",
        "ORDER_EVENT_STOCK_RESERVED",
        "ORDER_EVENT_PAYMENT_TAKEN",
        "ORDER_EVENT_CONFIRMED",
    ]
    path = f"/v1/orders/{order['orderId']}"
    assert (await http.get(path)).json() == order
    again = await http.post("/v1/orders", json={"cartId": "mine"}, headers=KEY)
    assert again.json() == order
    # They are those of nobody who was signed in.
    assert (await http.get("/v1/orders")).json() == {"orders": [], "nextPageToken": ""}
    cancelled = await http.post(f"{path}:cancel")
    assert cancelled.json()["state"] == "ORDER_STATE_CANCELLED"
    assert (await http.post(f"{path}:cancel", json={})).json() == cancelled.json()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 256}])
async def test_an_order_needs_a_key(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await http.post("/v1/orders", json={"cartId": "mine"}, headers=headers)
    document = problem(answer, 400)
    assert document["code"] == "INVALID_ARGUMENT"
    assert document["errors"][0]["field"] == "idempotency-key"
    assert "expected 1 to 255 printable ASCII characters" in document["detail"]


async def test_refusals_say_what_is_wrong(http: httpx.AsyncClient) -> None:
    order = (await http.post("/v1/orders", json={"cartId": "mine"}, headers=KEY)).json()
    for body, headers, status, error in (
        ({"cartId": "yours"}, KEY, 409, "IdempotencyKeyReused"),
        ({"cartId": "mine"}, {"Idempotency-Key": "other"}, 409, "CartAlreadyOrdered"),
        ({"cartId": "empty"}, {"Idempotency-Key": "other"}, 400, "CartEmpty"),
        ({"cartId": "old"}, {"Idempotency-Key": "other"}, 400, "ItemUnavailable"),
        ({"cartId": "none"}, {"Idempotency-Key": "other"}, 404, "CartNotFound"),
    ):
        document = problem(await http.post("/v1/orders", json=body, headers=headers), status)
        assert document["error"] == error
        if status == 409:
            assert document["fields"] == {"orderId": order["orderId"]}
    document = problem(await http.post("/v1/orders", json={}, headers=KEY), 400)
    assert document["errors"] == [{"field": "cartId", "detail": "required, but absent"}]
    for path in ("/v1/orders/none", "/v1/orders/none:cancel"):
        verb = "POST" if path.endswith(":cancel") else "GET"
        assert problem(await http.request(verb, path), 404)["error"] == "OrderNotFound"
    assert problem(await http.get("/v1/orders?pageSize=201"), 400)["error"] == "PageSizeOutOfRange"
    assert problem(await http.get("/v1/orders?pageToken=x"), 400)["error"] == "InvalidPageToken"
