"""What is done now and then: forget what is over, and make the next key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from seam.contract import StatusError
from seam.persistence import Database
from services.authentication.domain.clock import Clock
from services.authentication.persistence.attempts import AttemptRepository
from services.authentication.persistence.sessions import SessionRepository
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import CannotUnsealError

log = logging.getLogger(__name__)

_EVERY: Final = 60.0
"""Seconds from one round to the next. Several replicas do each other's work, which does no harm."""


@asynccontextmanager
async def housekeeping(database: Database, keys: KeyStore, clock: Clock) -> AsyncIterator[None]:
    """Look after keys, sessions and attempts until the block ends.

    There is a key when the block begins.

    Raises:
        CannotUnsealError: the keys are sealed by another key.
        StatusError: the database is away.
    """
    await keys.look_after()
    task = asyncio.create_task(_rounds(database, keys, clock), context=Context())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def tidy(database: Database, clock: Clock) -> None:
    """Forget sessions and attempts that are over."""
    async with database.transaction() as transaction:
        await AttemptRepository(transaction).trim(clock())
        await SessionRepository(transaction).trim(clock())


async def _rounds(database: Database, keys: KeyStore, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        try:
            await tidy(database, clock)
            await keys.look_after()
        except StatusError:
            # The database has said so itself.
            continue
        except CannotUnsealError as error:
            log.error("%s: tokens are signed with the keys that are known", error)  # noqa: TRY400
