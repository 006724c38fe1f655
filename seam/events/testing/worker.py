"""A process that delivers events, for tests that end, freeze and double it.

Prints a line when it has begun. A step named by `--crash` ends it as a power cut would:

- `handler`: while a handler runs, before its transaction commits;
- `delivered`: when a batch was delivered, and the outbox still holds it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from contract.v1.money import Money

from seam.events import subscribe
from seam.events.broker import connected
from seam.events.event import Event
from seam.events.host import delivering
from seam.events.policy import DEFAULT_POLICY
from seam.events.relay import Stage
from seam.events.testing.shop import SOLD, databases, note, publisher, subscriber
from seam.persistence import Transaction

POLICY: Final = replace(DEFAULT_POLICY, batch=50, poll=0.1, lease=1.5, first_delay=0.1)


class Crash:
    """Ends the process at the so-manieth time that it comes by a step."""

    def __init__(self, step: str, times: int) -> None:
        """Crash at `step` when it is reached for the `times`th time."""
        self._step = step
        self._left = times

    def at(self, step: str) -> None:
        """Come by a step."""
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def stage(self, stage: Stage) -> None:
        """Let a stage come by `delivered`."""
        deliver = stage.deliver

        async def delivered(partition: int, events: Sequence[Event]) -> None:
            await deliver(partition, events)
            self.at("delivered")

        stage.deliver = delivered


async def work(url: str, roles: str, broker: str | None, crash: Crash) -> None:
    """Deliver until the process is ended."""

    async def handle(event: Money, transaction: Transaction) -> None:
        await note(event, transaction)
        crash.at("handler")

    async with AsyncExitStack() as stack:
        sales, ledger = await stack.enter_async_context(databases(url))
        participants = {
            "sales": publisher(sales),
            "ledger": subscriber(ledger, subscribe(SOLD, handle)),
        }
        connection = None
        if broker is not None:
            connection = await stack.enter_async_context(connected(broker))
        delivery = await stack.enter_async_context(
            delivering([participants[role] for role in roles.split(",")], connection, POLICY)
        )
        for relay in delivery.relays.values():
            for stage in relay.stages:
                crash.stage(stage)
        os.write(1, b"working\n")
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--roles", default="sales,ledger")
    parser.add_argument("--broker")
    parser.add_argument("--crash", default="never:1")
    arguments = parser.parse_args()
    named, _, count = arguments.crash.partition(":")
    asyncio.run(work(arguments.url, arguments.roles, arguments.broker, Crash(named, int(count))))
