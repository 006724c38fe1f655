from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from seam.persistence.failures import unavailable
from seam.persistence.monitor import Monitor


class Scripted:
    """A backend that answers as it is told."""

    interval = 60.0
    patience = 0.05

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.silent = 0
        self.blocking = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.events: list[str] = []

    async def ask(self) -> None:
        self.asked += 1
        away = self.away
        await self.gate.wait()
        if self.blocking:
            self.blocking -= 1
            time.sleep(0.3)  # noqa: ASYNC251
            await asyncio.sleep(0.01)
        if self.silent:
            self.silent -= 1
            await asyncio.sleep(60)
        if away:
            raise unavailable("connection refused")

    def cut(self) -> None:
        self.events.append("cut")

    def restore(self) -> None:
        self.events.append("restore")


@pytest.fixture
def backend() -> Scripted:
    return Scripted()


@pytest.fixture
async def monitor(backend: Scripted) -> AsyncIterator[Monitor]:
    monitor = Monitor("the database of shop", backend)
    async with monitor.watching():
        yield monitor


async def test_connections_are_cut_once_and_restored_once_with_a_line_each(
    backend: Scripted, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    assert await monitor.check() is None
    backend.away = True
    with caplog.at_level(logging.INFO):
        for _ in range(100):
            failure = await monitor.check()
            assert failure is not None
            assert failure.summary == "cannot be reached"
        backend.away = False
        for _ in range(100):
            assert await monitor.check() is None
    assert backend.events == ["cut", "restore"]
    assert caplog.messages == [
        "the database of shop is not available: connection refused",
        "the database of shop is available again",
    ]


async def test_all_who_ask_at_once_wait_for_one_answer(backend: Scripted, monitor: Monitor) -> None:
    await monitor.check()
    asked = backend.asked
    await asyncio.gather(*(monitor.check() for _ in range(1000)))
    assert backend.asked == asked + 1


async def test_a_question_that_is_under_way_does_not_answer_a_later_one(
    backend: Scripted, monitor: Monitor
) -> None:
    await monitor.check()
    backend.patience = 5
    backend.gate.clear()
    early = asyncio.create_task(monitor.check())
    await asyncio.sleep(0.01)
    backend.away = True
    late = [asyncio.create_task(monitor.check()) for _ in range(10)]
    await asyncio.sleep(0.01)
    backend.gate.set()
    assert await early is None
    assert None not in await asyncio.gather(*late)


@pytest.mark.parametrize(("silent", "away"), [(0, False), (1, False), (2, True)])
async def test_one_late_answer_is_forgiven_and_two_are_not(
    backend: Scripted, monitor: Monitor, silent: int, away: bool
) -> None:
    await monitor.check()
    backend.silent = silent
    assert (await monitor.check() is not None) is away


async def test_an_answer_that_this_process_itself_has_missed_says_nothing(
    backend: Scripted, monitor: Monitor
) -> None:
    await monitor.check()
    backend.silent = backend.blocking = 1
    assert await monitor.check() is None


async def test_a_database_that_is_away_is_asked_until_it_is_back(
    backend: Scripted, monitor: Monitor
) -> None:
    await monitor.check()
    backend.away = True
    monitor = Monitor("the database of shop", backend)
    async with monitor.watching():
        await monitor.check()
        backend.away = False
        async with asyncio.timeout(5):
            while monitor.failure is not None:
                await asyncio.sleep(0.01)
    assert backend.events == ["cut", "restore"]
