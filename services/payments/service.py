"""Composition root of payments: what they answer, and what they are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.bus import Registration
from seam.runtime import Resources, Service, main
from services.payments.messagebus.payments import Payments
from services.payments.persistence.migrations import MIGRATIONS
from services.payments.persistence.tables import Table
from services.payments.provider.opening import open_provider
from services.payments.records.messagebus_bus import register_payments


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    """Open the database and the provider, and answer from them."""
    async with resources.database(Table.metadata) as database, open_provider(resources) as provider:
        yield (register_payments(Payments(database, provider)),)


SERVICE = Service(name="payments", start=start, migrations=MIGRATIONS)

if __name__ == "__main__":
    main("payments", (SERVICE,))
