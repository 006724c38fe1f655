from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from seam.runtime.topology import Address
from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from services.payments.persistence.tables import Table
from services.payments.simulator.behaviour import Behaviour
from services.payments.simulator.ledger import Ledger
from services.payments.simulator.serving import Simulator, serving

__all__ = ["database", "database_url", "postgres_server"]

load_profile()
database = database_of(Table.metadata)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Books that nobody has written in."""
    books = Ledger(tmp_path / "ledger.db")
    yield books
    books.close()


@pytest.fixture
async def simulator(ledger: Ledger) -> AsyncIterator[Simulator]:
    """A simulated provider behind a port, which behaves until it is told otherwise."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    async with serving(ledger, Behaviour(), Address("127.0.0.1", 0), "the-key") as running:
        yield running
