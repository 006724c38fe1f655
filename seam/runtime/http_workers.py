"""Several processes behind one HTTP port, and one that looks after them.

The supervisor binds the port and serves nothing itself. Its workers are the same artifact, started
again with the same arguments; all of them take connections from the one socket that they inherit,
so that what a worker which ends has not taken yet is taken by the others. A worker that ends by
itself is started again, after a pause that grows while it keeps ending.

At SIGHUP all workers are replaced, one after the other: a new one is started, and when it serves,
the old one is told to leave. The socket stays open all the time, so nobody is refused. As a worker
is the artifact as it is on disk at that moment, this is how a new version is put in place. At
SIGTERM all of them finish what is under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from seam.runtime.figures import Figures, cumulative, together
from seam.runtime.http_listener import HttpListener
from seam.runtime.http_reload import Sources
from seam.runtime.http_started_worker import Addresses, StartedWorker
from seam.runtime.http_worker import END, LEAVE, VARIABLE

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 30.0
"""Seconds between the end of a worker and the start of another."""

STEADY: Final = 30.0
"""A worker that has served for so many seconds has not failed at its start."""

EXIT_FAILED: Final = 1


def same_command() -> list[str]:
    """The command by which this process was started, as it would be started now."""
    packaged = os.environ.get("PEX")
    if packaged and Path(packaged).is_file():
        # What runs is a copy of the file, which may hold a newer version by now.
        return [sys.executable, packaged, *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]


class Supervisor:
    """Starts workers and keeps them."""

    def __init__(
        self,
        command: Sequence[str],
        listener: HttpListener,
        *,
        workers: int,
        patience: float,
        announce: Callable[[Addresses], None],
    ) -> None:
        """Prepare to start workers.

        Args:
            command: starts one.
            listener: what they listen on.
            workers: how many.
            patience: seconds that one has to end when it is told to.
            announce: is told where they serve, once all of them do for the first time.
        """
        self._command = tuple(command)
        self._listener = listener
        self._number = workers
        self._patience = patience
        self._announce = announce
        self._slots: list[StartedWorker] = []
        self._alive: set[StartedWorker] = set()
        self._counted: list[Figures] = []
        self._asked_to_end = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        self._renews_again = False

    async def run(self) -> int:
        """Keep the workers until a signal asks to end; gives the exit status."""
        self._hear_signals()
        try:
            self._slots = [await self._start() for _ in range(self._number)]
            addresses = await self._all_serve()
            if addresses is None:
                return await self._failed()
            self._announce(addresses)
            await self._while_serving([self._keep(slot) for slot in range(self._number)])
        finally:
            await self._end()
        return 0

    async def run_reloading(self, sources: Sources) -> int:
        """Keep one worker, and start it anew whenever a source file changes.

        Args:
            sources: the files.
        """
        self._hear_signals()
        log.info("watching the sources in %s", ", ".join(sources.roots))
        try:
            await self._while_serving([self._reload(sources)])
        finally:
            await self._end()
        return 0

    async def _reload(self, sources: Sources) -> None:
        announced = False
        while True:
            worker = await self._start()
            addresses = await worker.serves()
            if addresses is None:
                log.error("it does not start; waiting for a change")
            elif not announced:
                self._announce(addresses)
                announced = True
            paths = await sources.changed()
            more = f" and {len(paths) - 1} others" if len(paths) > 1 else ""
            log.info("%s%s changed: starting anew", paths[0], more)
            worker.tell(LEAVE)
            await self._gone(worker)

    async def _while_serving(self, work: Sequence[Coroutine[None, None, None]]) -> None:
        tasks = [asyncio.ensure_future(each) for each in work]
        asked = asyncio.ensure_future(self._asked_to_end.wait())
        try:
            await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    # Work has no end but a failure.
                    task.result()
        finally:
            asked.cancel()
            for task in (*tasks, *filter(None, [self._renewing])):
                task.cancel()

    async def _all_serve(self) -> Addresses | None:
        """Where the workers serve, once all of them do; None when one fails, or all shall end."""
        asked = asyncio.ensure_future(self._asked_to_end.wait())
        serving = [asyncio.ensure_future(worker.serves()) for worker in self._slots]
        try:
            for each in serving:
                await asyncio.wait([asked, each], return_when=asyncio.FIRST_COMPLETED)
                if not each.done() or each.result() is None:
                    return None
            return serving[0].result()
        finally:
            for task in (asked, *serving):
                task.cancel()

    async def _failed(self) -> int:
        if self._asked_to_end.is_set():
            return 0
        for worker in self._slots:
            if worker.has_failed:
                return await worker.process.wait() or EXIT_FAILED
        return EXIT_FAILED

    async def _keep(self, slot: int) -> None:
        """Start another worker whenever that of a slot ends by itself."""
        pause = FIRST_PAUSE
        while True:
            worker = self._slots[slot]
            status = await worker.process.wait()
            await self._count_out(worker)
            if self._slots[slot] is not worker:
                # It was told to leave, and has a successor.
                continue
            if monotonic() - worker.begun > STEADY:
                pause = FIRST_PAUSE
            log.error(
                "worker %d ended with status %d; another one starts in %.1f s",
                worker.process.pid,
                status,
                pause,
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if self._slots[slot] is worker:
                self._slots[slot] = await self._start()

    def _renew(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.ensure_future(self._replace_while_asked())
        else:
            # What is on the disk may have changed since the first of them was replaced.
            self._renews_again = True

    async def _replace_while_asked(self) -> None:
        await self._replace_all()
        while self._renews_again:
            self._renews_again = False
            await self._replace_all()

    async def _replace_all(self) -> None:
        log.info("replacing %d workers", self._number)
        for slot in range(len(self._slots)):
            worker = await self._start()
            if await worker.serves() is None:
                log.error("a new worker does not start: the others stay as they are")
                worker.kill()
                await self._gone(worker)
                return
            before, self._slots[slot] = self._slots[slot], worker
            before.tell(LEAVE)
            await self._gone(before)
        log.info("replaced %d workers", self._number)

    async def _start(self) -> StartedWorker:
        ours, theirs = socket.socketpair()
        descriptors = (self._listener.socket.fileno(), theirs.fileno())
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                pass_fds=descriptors,
                env={**os.environ, VARIABLE: f"{descriptors[0]},{descriptors[1]}"},
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = StartedWorker(process, reader, writer, self._figures_of_all)
        self._alive.add(worker)
        return worker

    async def _gone(self, worker: StartedWorker) -> None:
        """Wait until a worker has ended, and end it when it does not."""
        try:
            async with asyncio.timeout(self._patience):
                await worker.process.wait()
        except TimeoutError:
            log.warning("worker %d does not end: killed it", worker.process.pid)
            worker.kill()
            await worker.process.wait()
        await self._count_out(worker)

    async def _count_out(self, worker: StartedWorker) -> None:
        """Forget a worker that has ended, but not what it has counted."""
        await worker.heard_out()
        if worker in self._alive:
            self._alive.discard(worker)
            self._counted = together([self._counted, cumulative(worker.figures)])

    async def _figures_of_all(self) -> list[Figures]:
        """What all workers together say now, and what those have counted that have ended."""
        await asyncio.gather(*(worker.measured() for worker in list(self._alive)))
        return together([self._counted, *(worker.figures for worker in self._alive)])

    async def _end(self) -> None:
        for worker in self._alive:
            worker.tell(END)
        await asyncio.gather(*(self._gone(worker) for worker in list(self._alive)))

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._asked_to_end.is_set():
                for worker in self._alive:
                    worker.terminate()
            self._asked_to_end.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        loop.add_signal_handler(signal.SIGHUP, self._renew)
