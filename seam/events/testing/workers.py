"""Starts workers as processes of their own, and ends what it has started."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from seam.events.testing import worker


class Workers:
    """The workers of one test, on its databases."""

    def __init__(self, url: str, broker: str | None) -> None:
        """Start workers on the databases at `url`; see `workers`."""
        self._url = url
        self._broker = broker
        self._all: list[asyncio.subprocess.Process] = []

    async def start(self, crash: str = "never:1") -> list[asyncio.subprocess.Process]:
        """Start what delivers: one process, or one for each service where there is a broker."""
        everything = ["sales,ledger"] if self._broker is None else ["sales", "ledger"]
        return [await self.start_one(roles, crash) for roles in everything]

    async def start_one(self, roles: str, crash: str = "never:1") -> asyncio.subprocess.Process:
        """Start one process, and wait until it works."""
        arguments = [self._url, "--roles", roles, "--crash", crash]
        if self._broker is not None:
            arguments += ["--broker", self._broker]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            worker.__name__,
            *arguments,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
        )
        self._all.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        if line != b"working\n" and crash.startswith("never"):
            raise RuntimeError("a worker did not start")
        return process

    async def end(self) -> None:
        """End all that still run."""
        for process in self._all:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
            # Its transport closes in the next turn of the loop.
            await asyncio.sleep(0)


@asynccontextmanager
async def workers(url: str, broker: str | None) -> AsyncIterator[Workers]:
    """Workers on the databases at `url`, which end with the block."""
    made = Workers(url, broker)
    try:
        yield made
    finally:
        await made.end()
