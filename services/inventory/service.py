"""Composition root of the inventory: what it answers, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.bus import Registration
from seam.runtime import Resources, Service, main
from services.inventory.api.inventory_api import InventoryApi
from services.inventory.api.inventory_desk_api import InventoryDeskApi
from services.inventory.commands.first_start import load_on_first_start, tell_if_empty
from services.inventory.commands.import_catalogue import commands
from services.inventory.commands.indexing import indexing
from services.inventory.messagebus.inventory import Inventory
from services.inventory.persistence.migrations import MIGRATIONS
from services.inventory.persistence.tables import Table
from services.inventory.records.api_bus import register_inventory_api, register_inventory_desk_api
from services.inventory.records.api_routes import INVENTORY_API_HTTP, INVENTORY_DESK_API_HTTP
from services.inventory.records.messagebus_bus import register_inventory
from services.inventory.records.messagebus_events import ITEM_CHANGED


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    """Open the database and answer from it."""
    async with resources.database(Table.metadata) as database:
        if resources.database_location.embedded:
            await load_on_first_start(database)
        else:
            await tell_if_empty(database, resources.database_location.url)
        async with indexing(database):
            yield (
                register_inventory_api(InventoryApi(database)),
                register_inventory_desk_api(InventoryDeskApi(database)),
                register_inventory(Inventory(database)),
            )


SERVICE = Service(
    name="inventory",
    start=start,
    http=(INVENTORY_API_HTTP, INVENTORY_DESK_API_HTTP),
    publishes=(ITEM_CHANGED,),
    migrations=MIGRATIONS,
    commands=commands,
)

if __name__ == "__main__":
    main("inventory", (SERVICE,))
