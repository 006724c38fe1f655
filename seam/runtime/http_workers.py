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
from asyncio.subprocess import Process as Subprocess
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from seam.runtime.http_listener import HttpListener
from seam.runtime.http_reload import Sources
from seam.runtime.http_worker import END, LEAVE, VARIABLE

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 30.0
"""Seconds between the end of a worker and the start of another."""

STEADY: Final = 30.0
"""A worker that has served for so many seconds has not failed at its start."""

START_SECONDS: Final = 120.0
"""A worker that does not serve by then never will."""

EXIT_FAILED: Final = 1

Addresses = Mapping[str, str]


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
        self._slots: list[_Started] = []
        self._alive: set[_Started] = set()
        self._asked_to_end = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None

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
            self._alive.discard(worker)
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
            self._renewing = asyncio.ensure_future(self._replace_all())

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

    async def _start(self) -> _Started:
        ours, theirs = socket.socketpair()
        descriptors = (self._listener.socket.fileno(), theirs.fileno())
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                pass_fds=descriptors,
                env={**os.environ, VARIABLE: f"{descriptors[0]},{descriptors[1]}"},
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = _Started(process, reader, writer)
        self._alive.add(worker)
        return worker

    async def _gone(self, worker: _Started) -> None:
        """Wait until a worker has ended, and end it when it does not."""
        try:
            async with asyncio.timeout(self._patience):
                await worker.process.wait()
        except TimeoutError:
            log.warning("worker %d does not end: killed it", worker.process.pid)
            worker.kill()
            await worker.process.wait()
        self._alive.discard(worker)

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


class _Started:
    """A worker, as its supervisor sees it."""

    def __init__(
        self, process: Subprocess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.begun = monotonic()
        self.has_failed = False
        self._reader = reader
        self._writer = writer

    async def serves(self) -> Addresses | None:
        """Where it serves, once it does; None when it ends before."""
        line = b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(START_SECONDS):
                line = await self._reader.readline()
        self.has_failed = not line
        return msgspec.json.decode(line, type=dict[str, str]) if line else None

    def tell(self, word: bytes) -> None:
        """Tell it to leave or to end."""
        self._writer.write(word)

    def terminate(self) -> None:
        """Let it leave what is under way."""
        with suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self.process.kill()
