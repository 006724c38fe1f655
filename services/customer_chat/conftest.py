from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from seam.call import Principal, call_scope
from seam.persistence import Database
from seam.testing import strict_channel
from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from services.customer_chat.api.customer_chat_api import CustomerChatApi
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.persistence.tables import Table
from services.customer_chat.records.api_bus import CustomerChatApiStub, register_customer_chat_api

__all__ = ["database", "database_url", "postgres_server"]

load_profile()
database = database_of(Table.metadata)


@contextmanager
def _acting(subject: str, *roles: str) -> Iterator[None]:
    with call_scope(principal=Principal(subject, frozenset(roles), f"token-of-{subject}")):
        yield


@pytest.fixture
def acting() -> Callable[..., AbstractContextManager[None]]:
    """Lets the calls of a block be those of somebody, with roles."""
    return _acting


def stub_of(database: Database, arrivals: Arrivals) -> CustomerChatApiStub:
    """A stub of the API, as one process answers it."""
    handler = CustomerChatApi(database, arrivals)
    return CustomerChatApiStub(strict_channel(register_customer_chat_api(handler)))


@pytest.fixture
async def api(database: Database) -> CustomerChatApiStub:
    """The API over a real database. It looks for nothing that other processes write."""
    return stub_of(database, Arrivals(database, interval=3_600))


@pytest.fixture
async def replica(database: Database) -> AsyncIterator[CustomerChatApiStub]:
    """The API as another process answers it, which looks often for what others write."""
    arrivals = Arrivals(database, interval=0.05)
    async with arrivals.running():
        yield stub_of(database, arrivals)
