"""Composition root of chats with customers: what they answer, and what they are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.bus import Limits
from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from services.authentication.records.messagebus_events import USER_DELETED
from services.customer_chat.api.customer_chat_api import CustomerChatApi
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.messagebus.deleted_users import delete_their_chats
from services.customer_chat.persistence.migrations import MIGRATIONS
from services.customer_chat.persistence.tables import Table
from services.customer_chat.records.api_bus import (
    register_customer_chat_api,
    register_customer_chat_dead_letters_api,
)
from services.customer_chat.records.api_routes import (
    CUSTOMER_CHAT_API_HTTP,
    CUSTOMER_CHAT_DEAD_LETTERS_API_HTTP,
)


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database, look for what other processes write, and answer."""
    async with resources.database(Table.metadata) as database:
        arrivals = Arrivals(database)
        async with arrivals.running():
            yield (
                register_customer_chat_api(CustomerChatApi(database, arrivals)),
                register_customer_chat_dead_letters_api(DeadLetterApi("customer_chat", database)),
                subscribe(USER_DELETED, delete_their_chats),
            )


SERVICE = Service(
    name="customer_chat",
    start=start,
    http=(CUSTOMER_CHAT_API_HTTP, CUSTOMER_CHAT_DEAD_LETTERS_API_HTTP),
    migrations=MIGRATIONS,
    # Those who follow a chat are calls that last, and wait most of the time.
    limits=Limits(concurrent=4_000),
)

if __name__ == "__main__":
    main("customer_chat", (SERVICE,))
