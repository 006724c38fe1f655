"""Processes share duties evenly, and take over from those that have stopped or ended."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Self

import pytest

from seam.contract import Code, StatusError
from seam.events.ending import end_all
from seam.events.event import microseconds
from seam.events.leases import Duty, Leases
from seam.events.statements import statements_of
from seam.events.testing.shop import databases
from seam.persistence import Database

DUTIES = tuple(f"relay/{n}" for n in range(8))


class Replica:
    """One process's leases, and the duties that it does."""

    def __init__(self, database: Database, seconds: float = 1.0) -> None:
        self.busy: set[str] = set()
        duties = {name: self._duty(name) for name in DUTIES}
        self.leases = Leases("sales", database, duties, seconds)
        self._task: asyncio.Task[None] | None = None

    def _duty(self, name: str) -> Duty:
        async def do() -> None:
            self.busy.add(name)
            try:
                await asyncio.Event().wait()
            finally:
                self.busy.discard(name)

        return do

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.leases.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_replicas_share_duties_evenly_and_take_them_back_when_one_leaves(
    database_url: str,
) -> None:
    async with databases(database_url) as (sales, _), AsyncExitStack() as stack:
        first = await stack.enter_async_context(Replica(sales))
        await until(lambda: first.busy == set(DUTIES))
        async with Replica(sales) as second:
            await until(lambda: len(first.busy) == len(second.busy) == 4)
            assert first.busy | second.busy == set(DUTIES)
            assert second.leases.held == second.busy
        await until(lambda: first.busy == set(DUTIES))


async def test_what_a_process_had_that_has_ended_is_taken_over_at_once(database_url: str) -> None:
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    holder = f"{socket.gethostname()}/{ended.pid}/x"
    async with databases(database_url) as (sales, _):
        await lend(sales, holder, seconds=3600)
        async with Replica(sales) as replica:
            await until(lambda: replica.busy == set(DUTIES))


async def test_what_a_process_of_another_machine_had_is_taken_over_when_its_time_is_over(
    database_url: str,
) -> None:
    async with databases(database_url) as (sales, _):
        await lend(sales, f"elsewhere/{os.getpid()}/x", seconds=2)
        begun = microseconds()
        async with Replica(sales) as replica:
            await until(lambda: replica.busy == set(DUTIES))
            assert microseconds() - begun > 1_000_000


async def test_what_a_process_had_is_taken_over_though_the_clock_was_set_back_since(
    database_url: str,
) -> None:
    async with databases(database_url) as (sales, _):
        # As a process of another machine would have left it an hour from now.
        await lend(sales, f"elsewhere/{os.getpid()}/x", seconds=3600)
        async with Replica(sales) as first, Replica(sales) as second:
            await until(lambda: len(first.busy) == len(second.busy) == 4)


async def test_a_duty_whose_database_is_away_begins_again_and_leaves_the_log_to_the_outage(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = 0

    async def take_over() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise StatusError(Code.UNAVAILABLE, "the database is away")
        await asyncio.Event().wait()

    async with databases(database_url) as (sales, _):
        leases = asyncio.create_task(Leases("sales", sales, {"relay/0": take_over}, 1.0).run())
        await until(lambda: attempts == 3)
        await end_all([leases])
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def lend(sales: Database, holder: str, seconds: float) -> None:
    """Let another process have all duties."""
    until_then = microseconds() + int(seconds * 1e6)
    add = statements_of("sales").lease.add
    for name in (f"member/{holder}", *DUTIES):
        await sales.execute(add, name=name, holder=holder, expires=until_then)
