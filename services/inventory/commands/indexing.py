"""Gives items that an earlier version has written their words, while others are served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from seam.contract import StatusError
from seam.persistence import Database
from services.inventory.persistence.search_index import index_missing

log = logging.getLogger(__name__)

_AGAIN: Final = 5.0
"""Seconds until it is tried again when the database is away."""


@asynccontextmanager
async def indexing(database: Database) -> AsyncIterator[None]:
    """Index what is not yet indexed, until the block ends; an item is found once it is."""
    task = asyncio.create_task(_index(database), context=Context())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _index(database: Database) -> None:
    while True:
        try:
            count = await index_missing(database)
        except StatusError:
            # The database has said so itself.
            await asyncio.sleep(_AGAIN)
            continue
        if count:
            log.warning("%d items of an earlier version can be searched now", count)
        return
