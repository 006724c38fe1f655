from __future__ import annotations

from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from services.notifications.persistence.tables import Table

__all__ = ["database", "database_url", "postgres_server"]

load_profile()
database = database_of(Table.metadata)
