"""Builds a generation of the index from the catalogue, while another one is searched.

It is done when the index was never built, as when the search is new to a shop that sells already;
when somebody asks for it; and again from the beginning when a process ended in the middle.

No change gets lost between the pages and the events. A generation follows events from its beginning
on. What was changed before that is on the pages, since they are read later; and of two states of an
item the later version stays, in whatever order they come.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from seam.contract import StatusError
from seam.persistence import Database
from services.inventory.records.messagebus import ExportItemsRequest
from services.inventory.records.messagebus_bus import InventoryStub
from services.search.persistence.documents import Documents, prepared, remove_old
from services.search.persistence.generations import (
    SupersededError,
    begin_generation,
    finish_generation,
    keep_building,
    lock_state,
    read_state,
)

log = logging.getLogger(__name__)

PAGE: Final = 200
"""Items that are read and written at a time."""

LEASE: Final = 30.0
"""Seconds after which others begin anew when a builder writes nothing."""

_LOOK: Final = 1.0
"""Seconds between two looks at whether a generation is to be built."""

_AGAIN: Final = 5.0
"""Seconds until it is tried again after a failure."""


class Builder:
    """Builds generations of one index, at most one at a time among the processes of the service."""

    def __init__(self, database: Database, inventory: InventoryStub) -> None:
        """Build in `database` what `inventory` sells."""
        self._database = database
        self._inventory = inventory
        self._me = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"[-255:]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Build whenever a generation is due, until the block ends."""
        task = asyncio.create_task(self._run(), context=Context())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def build_if_due(self) -> bool:
        """Build a generation, if one is due and nobody else builds it.

        Returns:
            Whether a generation was built, and is searched from now on.

        Raises:
            StatusError: the catalogue or the database is away.
        """
        if not (await read_state(self._database)).is_due:
            return False
        lease = int(LEASE * 1e6)
        generation = await begin_generation(self._database, self._me, _now(), lease)
        if generation is None:
            return False
        try:
            count = await self._fill(generation)
            await finish_generation(self._database, generation)
        except SupersededError:
            log.info("generation %d of the index is given up for a later one", generation)
            return False
        log.info("generation %d of the index is searched now; it has %d items", generation, count)
        await self._remove_old()
        return True

    async def _fill(self, generation: int) -> int:
        count, after = 0, ""
        while True:
            request = ExportItemsRequest(after_sku=after, page_size=PAGE)
            items = (await self._inventory.export_items(request)).items
            # In a thread, so that nobody who is served here waits for it.
            ready = await asyncio.to_thread(prepared, items)
            async with self._database.transaction(alone=True) as transaction:
                await lock_state(transaction)
                until = _now() + int(LEASE * 1e6)
                await keep_building(transaction, generation, len(items), until)
                await Documents(transaction).put((generation,), ready)
            count += len(items)
            if len(items) < PAGE:
                return count
            after = items[-1].sku

    async def _remove_old(self) -> None:
        state = await read_state(self._database)
        await remove_old(self._database, state.generations)

    async def _run(self) -> None:
        while True:
            delay = _LOOK
            try:
                await self.build_if_due()
            except StatusError as error:
                # Whoever is away has said so itself.
                log.debug("the index cannot be built: %s", error)
                delay = _AGAIN
            except Exception:
                log.exception("building the index failed and begins again")
                delay = _AGAIN
            await asyncio.sleep(delay)


def _now() -> int:
    return time.time_ns() // 1000
