"""Opens a service's database at the revision that its code is written for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from seam.persistence.database import (
    CannotOpenDatabaseError,
    Database,
    open_database,
    shown_url,
)
from seam.persistence.migrations.revisions import Migrations
from seam.persistence.migrations.schema import BehindError, check_schema
from seam.persistence.postgresql_pool import DEFAULT_POOL, PoolLimits

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_migrated(
    url: str, migrations: Migrations, *, embedded: bool, pool: PoolLimits = DEFAULT_POOL
) -> AsyncIterator[Database]:
    """Open a service's database; an embedded one is brought to the head first.

    Args:
        url: see `seam.persistence.open_database`.
        migrations: what the database is to hold.
        embedded: whether nobody has configured it, so that nobody else looks after it.
        pool: how much of a server it takes.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached, holds something else, or is behind
            and not embedded; the text says which command to run.
        MigrationError: a revision failed.
    """
    # What cannot be found is an artifact that was packed wrongly, and no database's fault.
    _ = migrations.head
    check = partial(check_schema, migrations=migrations)
    async with AsyncExitStack() as stack:
        opening = open_database(url, migrations.tables, check, pool=pool)
        try:
            database = await stack.enter_async_context(opening)
        except BehindError as error:
            if not embedded:
                raise CannotOpenDatabaseError(_advice(url, error)) from None
            await _migrate(url, migrations)
            opening = open_database(url, migrations.tables, check, pool=pool)
            database = await stack.enter_async_context(opening)
        yield database


async def _migrate(url: str, migrations: Migrations) -> None:
    # Alembic takes its time to be imported, and is needed when there is something to be run.
    from seam.persistence.migrations.steps import upgrade  # noqa: PLC0415

    def tell(revision: str, _: int) -> None:
        log.info("%s: running revision %s", migrations.service, revision)

    await asyncio.to_thread(upgrade, url, migrations, tell)


def _advice(url: str, behind: BehindError) -> str:
    return (
        f"cannot use the database {shown_url(url)} of {behind.service}: {behind}; "
        f"run 'migrate {behind.service}' with the same settings first"
    )
