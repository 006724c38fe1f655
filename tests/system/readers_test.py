"""What other services make of what happened: items are found, and customers written to."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seam.testing.smtp import SmtpServer, smtp_server
from tests.system.topologies import (
    SMTP_PORT,
    SOURCES,
    TOPOLOGIES,
    Shop,
    start_shop,
    wait_until,
)

WITH_OUR_INVENTORY = [name for name in TOPOLOGIES if name != "inventory_in_node"]
"""The one in Node reads its catalogue once, and has no events to tell."""

EMAIL = "ann@example.com"


@pytest.fixture(scope="module", params=WITH_OUR_INVENTORY)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shop, Path]]:
    """A shop whose catalogue a test may change, and its folder."""
    directory = tmp_path_factory.mktemp(request.param)
    shop = start_shop(request.param, directory)
    yield shop, directory
    shop.close()


@pytest.fixture
def own_shop(running: tuple[Shop, Path]) -> Shop:
    """The shop."""
    return running[0]


@pytest.fixture
def data(running: tuple[Shop, Path]) -> Path:
    """Its folder."""
    return running[1]


@pytest.fixture
def mails() -> Iterator[SmtpServer]:
    """The server that the shop sends its mails by."""
    with smtp_server(port=SMTP_PORT) as server:
        yield server


def found(shop: Shop, query: str) -> list[dict[str, Any]]:
    response = shop.http.get("/v1/search", params={"query": query})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def import_item(data: Path, item: dict[str, Any], **changes: str) -> None:
    """Import one item again, as somebody does who looks after the catalogue."""
    file = data / "changes.csv"
    with file.open("w", newline="", encoding="utf-8") as raw:
        columns = ("sku", "name", "description", "category", "price", "currency", "stock")
        writer = csv.DictWriter(raw, columns)
        writer.writeheader()
        row = {
            "sku": item["sku"],
            "name": item["name"],
            "description": item["description"],
            "category": item["category"].removeprefix("CATEGORY_").lower(),
            "price": f"{int(item['price']['minorUnits']) / 100:.2f}",
            "currency": item["price"]["currencyCode"],
            "stock": item["stock"],
        }
        writer.writerow(row | changes)
    command = [*SOURCES, "inventory", "import", str(file), "--data", str(data / "data")]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def test_an_item_that_is_renamed_is_found_by_its_new_name_and_no_more_by_its_old(
    own_shop: Shop, data: Path
) -> None:
    item = own_shop.http.get("/v1/inventory/KIT-BRD-0008").json()
    wait_until(lambda: item["sku"] in [each["sku"] for each in found(own_shop, item["name"])])
    import_item(data, item, name="Xylophone Quetzal")
    wait_until(lambda: [each["sku"] for each in found(own_shop, "quetzal")] == [item["sku"]])
    assert found(own_shop, "Quetzal xylophone")[0]["name"] == "Xylophone Quetzal"
    # And with a typing error.
    answer = own_shop.http.get("/v1/search?query=quetzla").json()
    assert answer["didYouMean"] == "quetzal"
    import_item(data, item)
    wait_until(lambda: found(own_shop, "quetzal") == [])


def test_a_customer_gets_one_mail_about_each_end_of_an_order(
    own_shop: Shop, mails: SmtpServer
) -> None:
    http = own_shop.http
    cart_id = http.post("/v1/carts", json={}).json()["cartId"]
    items = http.get("/v1/inventory?pageSize=200").json()["items"]
    item = next(each for each in items if each["stock"] >= 2)
    put = http.put(f"/v1/carts/{cart_id}/items/{item['sku']}", json={"quantity": 2})
    assert put.status_code == 200, put.text
    body = {"cartId": cart_id, "email": EMAIL}
    headers = {"idempotency-key": cart_id}
    placed = http.post("/v1/orders", json=body, headers=headers)
    assert placed.status_code == 200, placed.text
    order_id = placed.json()["orderId"]
    # Asking again is the same order, and writes nothing more.
    assert http.post("/v1/orders", json=body, headers=headers).json()["orderId"] == order_id
    wait_until(lambda: len(mails.mails) == 1)
    message = mails.mails[0].message
    assert (message["To"], message["Subject"]) == (EMAIL, f"Your order {order_id} is confirmed")
    plain = message.get_body(("plain",))
    assert plain is not None
    assert f"2 x {item['name']}" in plain.get_content()
    assert http.post(f"/v1/orders/{order_id}:cancel", json={}).status_code == 200
    wait_until(lambda: len(mails.mails) == 2)
    assert mails.mails[1].message["Subject"] == f"Your order {order_id} is cancelled"


def test_an_address_that_is_none_is_refused_and_nothing_is_ordered(own_shop: Shop) -> None:
    body = {"cartId": "any", "email": "ann@example.com\r\nBcc: eve@example.com"}
    answer = own_shop.http.post("/v1/orders", json=body, headers={"idempotency-key": "bad"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "InvalidEmail"
