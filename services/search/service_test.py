from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from contract.v1.dead_letters import ListDeadLettersRequest
from contract.v1.money import Money

from seam.bus import InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.persistence import open_database
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from services.inventory.records.messagebus import CatalogueItem, ExportItemsResponse
from services.inventory.records.messagebus_bus import INVENTORY, register_inventory
from services.inventory.records.messagebus_events import ITEM_CHANGED
from services.inventory.records.messagebus_mock import InventoryMock
from services.search.commands import rebuild
from services.search.commands.rebuild import commands
from services.search.persistence.generations import read_state
from services.search.persistence.migrations import MIGRATIONS
from services.search.persistence.tables import Table
from services.search.records.api import SearchRequest
from services.search.records.api_bus import (
    SEARCH_API,
    SEARCH_DEAD_LETTERS_API,
    SearchApiStub,
    SearchDeadLettersApiStub,
)
from services.search.service import SERVICE, start

PRICE = Money(currency_code="EUR", minor_units=990)
MUG = CatalogueItem(
    sku="MUG", name="Mug", description="For tea.", category="kitchen", price=PRICE, version=1
)


@pytest.fixture
def inventory() -> InventoryMock:
    """A mock of inventory that sells a mug."""
    mock = InventoryMock()
    mock.export_items.returns(ExportItemsResponse(items=(MUG,)))
    return mock


async def found(api: SearchApiStub, query: str) -> list[str]:
    """What is found, as soon as something is."""
    async with asyncio.timeout(20):
        while True:
            answer = await api.search(SearchRequest(query=query, page_size=0, page_token=""))
            if answer.items:
                return [item.sku for item in answer.items]
            await asyncio.sleep(0.01)


async def test_the_service_answers_follows_the_catalogue_and_fills_its_index_by_itself(
    database_url: str, inventory: InventoryMock
) -> None:
    to_inventory = strict_channel(register_inventory(inventory))
    asked_for: list[ServiceDescriptor] = []

    def to(descriptor: ServiceDescriptor) -> InProcessChannel:
        asked_for.append(descriptor)
        return to_inventory

    location = DatabaseLocation(url=database_url, embedded=True)
    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        await leave_dead_letter("search", database_url, "1")
        letters = SearchDeadLettersApiStub(strict_channel(*registrations))
        listed = await letters.list_dead_letters(ListDeadLettersRequest(page_size=0, page_token=""))
        assert [each.event_id for each in listed.dead_letters] == ["1"]
        subscriptions = [each for each in provided if isinstance(each, Subscription)]
        assert [each.event for each in subscriptions] == [ITEM_CHANGED]
        answered = {each.descriptor for each in registrations}
        assert (
            answered
            == {api.descriptor for api in SERVICE.http}
            == {
                SEARCH_API,
                SEARCH_DEAD_LETTERS_API,
            }
        )
        assert tuple(asked_for) == SERVICE.needs == (INVENTORY,)
        assert await found(SearchApiStub(strict_channel(*registrations)), "tea mug") == ["MUG"]


async def run_rebuild(url: str) -> object:
    """Run `search rebuild` as its command line does, and give the exit code."""
    return await asyncio.to_thread(
        commands,
        ["rebuild", "--database", f"search={url}"],
        result_action="return_value",
        exit_on_error=False,
    )


async def test_the_command_has_the_running_service_build_a_new_generation(
    tmp_path: Path, inventory: InventoryMock, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = strict_channel(register_inventory(inventory))
    url = f"sqlite:///{tmp_path}/search.db"
    location = DatabaseLocation(url=url, embedded=True)
    async with start(Resources(location, lambda _: channel, migrations=MIGRATIONS)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        api = SearchApiStub(strict_channel(*registrations))
        assert await found(api, "mug") == ["MUG"]
        cup = CatalogueItem(
            sku="CUP", name="Cup", description="", category="", price=PRICE, version=1
        )
        inventory.export_items.returns(ExportItemsResponse(items=(cup, MUG)))
        assert await run_rebuild(url) == 0
        assert "2 items can be found" in capsys.readouterr().out
        assert await found(api, "cup") == ["CUP"]


async def test_the_command_says_so_when_nobody_serves_and_what_it_asked_for_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rebuild, "PATIENCE", 0.0)
    url = f"sqlite:///{tmp_path}/search.db"
    async with DatabaseLocation(url=url, embedded=True).open(MIGRATIONS):
        pass
    assert await run_rebuild(url) == 1
    assert "no running search has begun" in capsys.readouterr().err
    async with open_database(url, Table.metadata) as database:
        assert (await read_state(database)).is_due
