"""Limits that several processes share, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import make_url

from seam.http.rate import Rate
from seam.http.rate_limits import shared
from seam.http.rate_limits.limiter import Limiter
from seam.http.rate_limits.opening import open_limiters
from seam.http.rate_limits.postgres import PostgresStorage
from seam.http.settings import HttpSettings
from seam.testing.databases import StoppablePostgres


@pytest.fixture
async def url(postgres_server: Any) -> AsyncIterator[str]:
    url = make_url(postgres_server.get_uri()).render_as_string(hide_password=False)
    yield url
    postgres_server.psql("DROP SCHEMA IF EXISTS gateway CASCADE;")


async def processes(stack: AsyncExitStack, url: str, rate: Rate, number: int = 2) -> list[Limiter]:
    """The limiters of several processes."""
    settings = HttpSettings(rate_limit_by_address=rate, rate_limit_store=url)
    limiters = []
    for _ in range(number):
        opened = await stack.enter_async_context(open_limiters(settings))
        assert opened.by_address is not None
        assert opened.by_principal is None
        limiters.append(opened.by_address)
    return limiters


async def allowed(limiters: list[Limiter], key: str, times: int) -> int:
    """How many of so many requests are allowed, when they go to processes in turns."""
    hits = [limiters[at % len(limiters)].hit(key) for at in range(times)]
    return (await asyncio.gather(*hits)).count(None)


async def test_a_small_limit_is_exact_over_all_processes(url: str) -> None:
    async with AsyncExitStack() as stack:
        limiters = await processes(stack, url, Rate(5, 86_400), 3)
        results = [await limiters[at % 3].hit("a") for at in range(12)]
        assert [each is None for each in results] == [True] * 5 + [False] * 7
        assert results[-1] is not None
        assert results[-1].seconds > 0


async def test_a_large_limit_is_never_exceeded_and_nearly_reached(url: str) -> None:
    async with AsyncExitStack() as stack:
        limiters = await processes(stack, url, Rate(1_000, 86_400))
        found = 0
        for _ in range(20):
            found += await allowed(limiters, "a", 100)
        # Each process may have set aside a twentieth.
        assert 900 <= found <= 1_000
        assert await allowed(limiters, "b", 10) == 10


async def test_requests_do_not_each_ask_the_store(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    acquire = PostgresStorage.acquire_sliding_window_entry

    async def count(self: PostgresStorage, *values: Any) -> bool:
        nonlocal asked
        asked += 1
        return await acquire(self, *values)

    monkeypatch.setattr(PostgresStorage, "acquire_sliding_window_entry", count)
    async with AsyncExitStack() as stack:
        [limiter] = await processes(stack, url, Rate(1_000, 86_400), 1)
        for _ in range(1_000):
            await limiter.hit("a")
        assert asked < 50
        before = asked
        for _ in range(1_000):
            await limiter.hit("a")
        # A flood of what is refused hardly does.
        assert asked - before < 10


async def test_a_key_that_asks_seldom_is_counted_exactly(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No allowance outlives the request that it was taken for.
    monkeypatch.setattr(shared, "PART", 10**9)
    async with AsyncExitStack() as stack:
        limiters = await processes(stack, url, Rate(40, 86_400))
        assert [await limiters[at % 2].hit("a") for at in range(60)].count(None) == 40


async def test_while_the_store_is_away_each_process_counts_alone_and_one_line_says_so(
    stoppable_postgres: StoppablePostgres,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared, "REST", 0.05)
    caplog.set_level(logging.WARNING)
    async with AsyncExitStack() as stack:
        limiters = await processes(stack, stoppable_postgres.url, Rate(4, 86_400))
        assert await allowed(limiters, "a", 4) == 4
        stoppable_postgres.kill()
        assert await allowed(limiters, "b", 20) == 8
        assert await allowed(limiters, "c", 20) == 8
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 2, said
        assert all("the store of rate limits is not available" in each for each in said)
        stoppable_postgres.start()
        async with asyncio.timeout(20):
            while not any("available again" in each.getMessage() for each in caplog.records):
                await limiters[0].hit("d")
                await asyncio.sleep(0.02)


async def test_a_store_that_is_frozen_holds_nobody_up_for_long(
    stoppable_postgres: StoppablePostgres,
) -> None:
    async with AsyncExitStack() as stack:
        limiters = await processes(stack, stoppable_postgres.url, Rate(4, 86_400))
        await allowed(limiters, "a", 4)
        stoppable_postgres.freeze()
        async with asyncio.timeout(3):
            assert await allowed(limiters, "b", 100) == 8
        async with asyncio.timeout(0.3):
            assert await allowed(limiters, "c", 100) == 8


async def test_what_matters_no_more_is_deleted(url: str, postgres_server: Any) -> None:
    storage = PostgresStorage(url)
    await storage.acquire_sliding_window_entry("old", 10, 1)
    await storage.acquire_sliding_window_entry("new", 10, 86_400)
    postgres_server.psql(
        "UPDATE gateway.rate_limit_windows SET expires = now() - interval '1 s' WHERE key = 'old'"
    )
    await storage.forget_old()
    assert "new" in (left := postgres_server.psql("SELECT key FROM gateway.rate_limit_windows"))
    assert "old" not in left
    await storage.close()


async def test_a_role_that_may_only_use_the_table_is_enough(url: str, postgres_server: Any) -> None:
    storage = PostgresStorage(url)
    await storage.check()
    await storage.close()
    postgres_server.psql(
        "DROP ROLE IF EXISTS door; CREATE ROLE door LOGIN; GRANT USAGE ON SCHEMA gateway TO door;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.rate_limit_windows TO door;"
    )
    as_door = make_url(url).set(username="door").render_as_string(hide_password=False)
    storage = PostgresStorage(as_door)
    try:
        assert await storage.acquire_sliding_window_entry("a", 1, 86_400)
        assert not await storage.acquire_sliding_window_entry("a", 1, 86_400)
    finally:
        await storage.close()
        postgres_server.psql("DROP SCHEMA gateway CASCADE; DROP ROLE door;")
