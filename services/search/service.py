"""Composition root of the search: what it answers and needs, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from services.inventory.records.messagebus_bus import INVENTORY, InventoryStub
from services.inventory.records.messagebus_events import ITEM_CHANGED
from services.search.api.search_api import SearchApi
from services.search.commands.rebuild import commands
from services.search.indexing.catalogue_changes import index_changed_item
from services.search.indexing.rebuilding import Builder
from services.search.persistence.generations import make_state
from services.search.persistence.migrations import MIGRATIONS
from services.search.persistence.tables import Table
from services.search.records.api_bus import register_search_api, register_search_dead_letters_api
from services.search.records.api_routes import SEARCH_API_HTTP, SEARCH_DEAD_LETTERS_API_HTTP


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database, build the index if there is none, follow the catalogue and answer."""
    inventory = InventoryStub(resources.channel(INVENTORY))
    async with resources.database(Table.metadata) as database:
        await make_state(database)
        async with Builder(database, inventory).running():
            yield (
                register_search_api(SearchApi(database)),
                register_search_dead_letters_api(DeadLetterApi("search", database)),
                subscribe(ITEM_CHANGED, index_changed_item),
            )


SERVICE = Service(
    name="search",
    start=start,
    needs=(INVENTORY,),
    http=(SEARCH_API_HTTP, SEARCH_DEAD_LETTERS_API_HTTP),
    migrations=MIGRATIONS,
    commands=commands,
)

if __name__ == "__main__":
    main("search", (SERVICE,))
