"""How the tables of the search have come to be what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from seam.persistence.migrations import Migrations
from services.search.persistence.tables import Table

MIGRATIONS: Final = Migrations(Table.metadata, Path(__file__).parent / "versions")
