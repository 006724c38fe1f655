from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from seam.persistence import Database, open_database
from seam.testing.databases import database_url, postgres_server
from services.inventory.persistence.tables import Table

__all__ = ["database", "database_url", "postgres_server"]

# A machine that is busy with something else makes no test wrong.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The inventory's database, fresh and empty: once on SQLite, once on PostgreSQL."""
    async with open_database(database_url, Table.metadata) as database:
        yield database
