from __future__ import annotations

from contract.v1.dead_letters import ListDeadLettersRequest

from seam.bus import InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from services.home.records.api import Client, GetHomeRequest
from services.home.records.api_bus import (
    HOME_API,
    HOME_DEAD_LETTERS_API,
    HomeApiStub,
    HomeDeadLettersApiStub,
)
from services.home.service import SERVICE, start
from services.inventory.records.messagebus_bus import register_inventory
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.messagebus_events import ORDER_CONFIRMED


async def test_the_service_answers_its_contract_and_asks_only_for_what_it_needs(
    database_url: str,
) -> None:
    asked_for: list[ServiceDescriptor] = []
    nobody = strict_channel(register_inventory(InventoryMock()))

    def to(descriptor: ServiceDescriptor) -> InProcessChannel:
        asked_for.append(descriptor)
        return nobody

    location = DatabaseLocation(url=database_url, embedded=True)
    async with start(Resources(location, to)) as provided:
        registrations = [each for each in provided if isinstance(each, Registration)]
        await leave_dead_letter("home", database_url, "1")
        letters = HomeDeadLettersApiStub(strict_channel(*registrations))
        listed = await letters.list_dead_letters(ListDeadLettersRequest(page_size=0, page_token=""))
        assert [each.event_id for each in listed.dead_letters] == ["1"]
        subscriptions = [each for each in provided if isinstance(each, Subscription)]
        assert [each.event for each in subscriptions] == [ORDER_CONFIRMED]
        assert [each.descriptor for each in registrations] == [HOME_API, HOME_DEAD_LETTERS_API]
        assert [api.descriptor for api in SERVICE.http] == [HOME_API, HOME_DEAD_LETTERS_API]
        assert tuple(asked_for) == SERVICE.needs
        api = HomeApiStub(strict_channel(*registrations))
        page = await api.get_home(GetHomeRequest(client=Client.WEB, cart_id=""))
        assert (page.popular_items, page.missing) == ((), ())
