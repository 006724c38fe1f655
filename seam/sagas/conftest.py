from __future__ import annotations

import pytest

from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from seam.testing.travel import METADATA, World

__all__ = ["database", "database_url", "postgres_server"]

load_profile()

database = database_of(METADATA)


@pytest.fixture
def world() -> World:
    """Peers that do what they are asked for."""
    return World()
