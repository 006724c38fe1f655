"""Counts in a PostgreSQL, where all processes count together.

One statement looks at both windows and counts, so that two processes cannot both take the last
request of a limit. Its clock is the server's, so that it does not matter whether those of the
processes agree. The table is not logged: counts need not outlive a crash of the server.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg
from limits.aio.storage import Storage
from limits.aio.storage.base import SlidingWindowCounterSupport

POOL_SIZE: Final = 4
"""Connections of one process at most."""

STATEMENT_SECONDS: Final = 0.5
"""What waits longer is away."""

AWAY: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What is raised when the database is away, or does not let itself be used."""

_FIND_TABLE: Final = "SELECT to_regclass('gateway.rate_limit_windows') IS NOT NULL"
_FIND_SCHEMA: Final = "SELECT to_regnamespace('gateway') IS NOT NULL"
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('gateway.rate_limit_windows'))"
_MAKE_SCHEMA: Final = "CREATE SCHEMA gateway"
_MAKE_TABLE: Final = """
CREATE UNLOGGED TABLE IF NOT EXISTS gateway.rate_limit_windows (
    key text NOT NULL,
    number bigint NOT NULL,
    hits bigint NOT NULL,
    expires timestamptz NOT NULL,
    PRIMARY KEY (key, number)
)
"""

# $1 is the key, $2 the seconds of a window, $3 how many more, $4 the limit.
_WINDOW: Final = """
WITH clock AS (SELECT extract(epoch FROM clock_timestamp())::float8 / $2::int AS windows),
this AS (
    SELECT floor(windows)::bigint AS number, 1 - (windows - floor(windows)) AS left_of_it
    FROM clock),
faded AS (
    SELECT this.number, this.left_of_it, coalesce(
        (SELECT hits FROM gateway.rate_limit_windows AS w
         WHERE w.key = $1::text AND w.number = this.number - 1), 0) AS previous
    FROM this)
"""
_COUNT: Final = """
INSERT INTO gateway.rate_limit_windows AS counted (key, number, hits, expires)
SELECT $1::text, number, $3::bigint, to_timestamp((number + 2) * $2::int) FROM faded
WHERE floor(previous * left_of_it) + $3::bigint <= $4::bigint
ON CONFLICT (key, number) DO UPDATE SET hits = counted.hits + $3::bigint
WHERE floor((SELECT previous * left_of_it FROM faded) + counted.hits) + $3::bigint <= $4::bigint
RETURNING true
"""
_LOOK: Final = """
SELECT previous, left_of_it * $2::int, coalesce(
    (SELECT hits FROM gateway.rate_limit_windows AS w
     WHERE w.key = $1::text AND w.number = faded.number), 0)
FROM faded
"""
_ACQUIRE: Final = _WINDOW + _COUNT
_READ: Final = _WINDOW + _LOOK
_FORGET: Final = "DELETE FROM gateway.rate_limit_windows WHERE key = $1"
_FORGET_OLD: Final = "DELETE FROM gateway.rate_limit_windows WHERE expires < clock_timestamp()"
_FORGET_ALL: Final = "DELETE FROM gateway.rate_limit_windows"


_NOT_COUNTED: Final = "the library's fixed windows are not counted; limits are sliding windows here"
"""Why what the library's interface has besides, and no strategy of ours asks for, is refused."""


class PostgresStorage(Storage, SlidingWindowCounterSupport):
    """A storage of `limits` that counts by sliding windows, and by nothing else."""

    STORAGE_SCHEME = None

    def __init__(self, url: str) -> None:
        """Count in the database that `url` names; it is asked when something is to be counted."""
        super().__init__()
        self._url = url
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._is_prepared = False

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What is raised when the database is away."""
        return AWAY

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` more under a key, unless the limit is in the way."""
        return await self._fetch(_ACQUIRE, key, expiry, amount, limit) is not None

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Both counts of a key, each with the seconds for which it still matters."""
        previous, seconds, current = await self._fetch(_READ, key, expiry)
        return previous, seconds, current, seconds + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002
        """Forget the counts of a key."""
        await self._fetch(_FORGET, key)

    async def forget_old(self) -> None:
        """Delete what matters no more."""
        await self._fetch(_FORGET_OLD)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Fixed windows are not counted."""
        raise NotImplementedError(_NOT_COUNTED)

    async def get(self, key: str) -> int:
        """Fixed windows are not counted."""
        raise NotImplementedError(_NOT_COUNTED)

    async def get_expiry(self, key: str) -> float:
        """Fixed windows are not counted."""
        raise NotImplementedError(_NOT_COUNTED)

    async def check(self) -> bool:
        """Whether the database answers."""
        await self._fetch("SELECT true")
        return True

    async def reset(self) -> int | None:
        """Forget everything."""
        await self._fetch(_FORGET_ALL)
        return None

    async def clear(self, key: str) -> None:
        """Fixed windows are not counted."""
        raise NotImplementedError(_NOT_COUNTED)

    async def close(self) -> None:
        """End all connections."""
        if self._pool is not None:
            self._pool.terminate()

    async def _fetch(self, statement: str, *values: object) -> Any:  # noqa: ANN401
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=POOL_SIZE, timeout=STATEMENT_SECONDS
                )
        pool = self._pool
        connection = await pool.acquire(timeout=STATEMENT_SECONDS)
        try:
            if not self._is_prepared:
                await _prepare(connection)
                self._is_prepared = True
            return await connection.fetchrow(statement, *values, timeout=STATEMENT_SECONDS)
        except BaseException:
            # What was left in the middle is not waited for.
            connection.terminate()
            raise
        finally:
            await pool.release(connection)


async def _prepare(connection: Any) -> None:  # noqa: ANN401
    """Make the table, unless it is there: then the role need not be allowed to make one."""
    if await connection.fetchval(_FIND_TABLE):
        return
    async with connection.transaction():
        # Another process may make it at the same moment.
        await connection.execute(_LOCK)
        if not await connection.fetchval(_FIND_SCHEMA):
            await connection.execute(_MAKE_SCHEMA)
        await connection.execute(_MAKE_TABLE)
