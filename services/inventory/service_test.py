from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from seam.bus import InProcessChannel
from seam.persistence import CannotOpenDatabaseError
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from services.inventory.commands.first_start import example_catalogue
from services.inventory.records.api import ListItemsRequest
from services.inventory.records.api_bus import INVENTORY_API, INVENTORY_DESK_API, InventoryApiStub
from services.inventory.records.messagebus import ReserveStockRequest, StockLine
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub
from services.inventory.service import SERVICE, start


@asynccontextmanager
async def started(url: str, *, embedded: bool) -> AsyncIterator[InProcessChannel]:
    """The service as a process hosts it."""
    location = DatabaseLocation(url=url, embedded=embedded)
    async with start(Resources(location, lambda _: strict_channel())) as registrations:
        yield strict_channel(*registrations)


async def skus(channel: InProcessChannel) -> list[str]:
    request = ListItemsRequest(query="", page_size=200, page_token="")
    answer = await InventoryApiStub(channel).list_items(request)
    return [item.sku for item in answer.items]


async def test_the_service_answers_its_contracts(database_url: str) -> None:
    location = DatabaseLocation(url=database_url, embedded=False)
    async with start(Resources(location, lambda _: strict_channel())) as registrations:
        answered = {each.descriptor for each in registrations}
    assert answered == {INVENTORY_API, INVENTORY_DESK_API, INVENTORY}
    assert {api.descriptor for api in SERVICE.http} <= answered
    assert SERVICE.needs == ()


async def test_an_embedded_database_has_the_example_catalogue_from_the_first_start(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/inventory.db"
    async with started(url, embedded=True) as channel:
        assert await skus(channel) == [item.sku for item in example_catalogue()[:200]]


async def test_a_second_start_leaves_the_stock_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/inventory.db"
    item = next(item for item in example_catalogue() if item.stock > 10)
    async with started(url, embedded=True) as channel:
        line = StockLine(sku=item.sku, quantity=10)
        await InventoryStub(channel).reserve_stock(
            ReserveStockRequest(reservation_id="r", lines=(line,))
        )
    async with started(url, embedded=True) as channel:
        request = ListItemsRequest(query=item.sku, page_size=1, page_token="")
        answer = await InventoryApiStub(channel).list_items(request)
        assert [found.stock for found in answer.items] == [item.stock - 10]


async def test_a_database_that_somebody_chose_is_not_filled_and_the_log_says_how_to(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(database_url, embedded=False) as channel:
        assert await skus(channel) == []
    (line,) = caplog.messages
    assert "inventory import FILE.csv --database 'inventory=" in line


async def test_a_database_that_cannot_be_reached_fails_the_start(tmp_path: Path) -> None:
    with pytest.raises(CannotOpenDatabaseError, match="No such file"):
        async with started(f"postgresql://me@/shop?host={tmp_path}", embedded=False):
            raise AssertionError("it was started")
