"""Whatever a broker does, processes start and end in time, and all events arrive once it is back.

It is away when a process starts, is killed or is frozen under it; each kind of process ends then,
and others start with other subscribers before the broker is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seam.events.broker import connected
from seam.events.host import Participant, delivering
from seam.events.policy import DEFAULT_POLICY
from seam.events.testing.hosting import BOUND, hosting
from seam.events.testing.shop import databases, entries, publisher, sell, subscriber
from seam.events.testing.waiting import until_delivered, until_noted
from seam.testing.nats import NatsServer

QUICK = replace(DEFAULT_POLICY, poll=0.1, lease=1.5)
KEYS = [f"key {k}" for k in range(12)]
TURNS = 25
"""Turns of the event loop that a connection to a port of this machine takes, and more."""

GO_AWAY: dict[str, Callable[[NatsServer], None]] = {
    "killed": NatsServer.kill,
    "frozen": NatsServer.freeze,
}
COME_BACK: dict[str, Callable[[NatsServer], None]] = {
    "killed": NatsServer.start,
    "frozen": NatsServer.thaw,
}
HERE = ["publisher", "subscriber", "both"]


@pytest.fixture(params=["killed", "frozen"])
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def lines_about_the_broker(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("here", HERE)
@pytest.mark.parametrize("at_the_start", [True, False], ids=["at the start", "under load"])
async def test_processes_start_and_end_while_the_broker_is_away_and_lose_nothing(
    tmp_path: Path,
    stoppable_nats: NatsServer,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    here: str,
    *,
    at_the_start: bool,
) -> None:
    url = stoppable_nats.url
    async with (
        databases(f"sqlite:///{tmp_path}/shop") as (sales, ledger),
        databases(f"sqlite:///{tmp_path}/later") as (_, later),
    ):
        participants: dict[str, list[Participant]] = {
            "publisher": [publisher(sales)],
            "subscriber": [subscriber(ledger)],
            "both": [publisher(sales), subscriber(ledger)],
        }
        if at_the_start:
            GO_AWAY[fault](stoppable_nats)
        async with hosting(*participants[here], broker=url, policy=QUICK):
            await sell(sales, [(key, 0) for key in KEYS])
            if not at_the_start:
                # Long enough for work to be under way, wherever it is then.
                await asyncio.sleep(0.5)
                GO_AWAY[fault](stoppable_nats)
            for n in range(1, 30):
                await sell(sales, [(key, n) for key in KEYS])
                await asyncio.sleep(0.02)
        async with (
            hosting(publisher(sales), subscriber(later), broker=url, policy=QUICK),
            hosting(subscriber(ledger), broker=url, policy=QUICK),
        ):
            await sell(sales, [(key, 30) for key in KEYS])
            # The client gives up a connection that is frozen while it begins after two seconds.
            await asyncio.sleep(2.5 if fault == "frozen" else 0.5)
            COME_BACK[fault](stoppable_nats)
            expected = {key: list(range(31)) for key in KEYS}
            assert await until_noted(later, 31 * len(KEYS)) == expected
            assert await until_noted(ledger, 31 * len(KEYS)) == expected
            await until_delivered(sales)
        assert await entries(later) == await entries(ledger) == expected
    lines = lines_about_the_broker(caplog)
    # Each of three connections says so once when it goes, and once when it is back.
    assert len(lines) <= 6, lines
    assert all("the broker of events is" in line for line in lines), lines


@pytest.mark.parametrize("here", ["nothing", *HERE])
async def test_a_process_ends_at_whatever_moment_of_its_start_while_the_broker_is_away(
    tmp_path: Path, stoppable_nats: NatsServer, fault: str, here: str
) -> None:
    """A cancellation that comes as an attempt to connect ends is not heard the first time."""
    GO_AWAY[fault](stoppable_nats)

    async def start_and_end(participants: list[Participant], turns: int) -> None:
        async with (
            connected(stoppable_nats.url) as broker,
            delivering(participants, broker, QUICK),
        ):
            for _ in range(turns):
                await asyncio.sleep(0)

    async with databases(f"sqlite:///{tmp_path}/shop") as (sales, ledger):
        participants: dict[str, list[Participant]] = {
            "nothing": [],
            "publisher": [publisher(sales)],
            "subscriber": [subscriber(ledger)],
            "both": [publisher(sales), subscriber(ledger)],
        }
        for turns in range(TURNS):
            process = asyncio.create_task(start_and_end(participants[here], turns))
            done, _ = await asyncio.wait([process], timeout=BOUND)
            assert done, f"it does not end after {turns} turns of the event loop"
            await process
