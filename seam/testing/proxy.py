"""A TCP proxy that stands between a caller and a callee, and misbehaves when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_CHUNK: Final = 65_536
_TURNS: Final = 20


class Proxy:
    """Carries connections to one address.

    Attributes:
        address: where it listens, `127.0.0.1:PORT`.
        delay: seconds that whatever passes is held back, in each direction.
        silent: whether connections stay open and nothing passes, as if a cable were cut.
    """

    def __init__(self, target: str) -> None:
        """Make a proxy to `target`, a `HOST:PORT`; see `proxying`."""
        host, _, port = target.rpartition(":")
        self._host, self._port = host, int(port)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""
        self.delay = 0.0
        self.silent = False

    def cut(self) -> int:
        """Reset all connections that are open now; gives their number."""
        for writer in self._open:
            writer.transport.abort()
        return len(self._open) // 2

    async def _carry(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = {near_writer}
        try:
            with suppress(OSError):
                far, far_writer = await asyncio.open_connection(self._host, self._port)
                writers.add(far_writer)
                self._open |= writers
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._copy(near, far_writer))
                    both.create_task(self._copy(far, near_writer))
        except asyncio.CancelledError:
            # The proxy ends; a task of asyncio's streams that is cancelled would be reported.
            pass
        finally:
            self._open -= writers
            for writer in writers:
                writer.transport.abort()
            self._tasks.discard(task)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        # uvloop says by a RuntimeError that a connection is closed.
        with suppress(OSError, RuntimeError):
            while data := await source.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.silent:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                sink.write(data)
                await sink.drain()
        sink.transport.abort()

    async def end(self) -> None:
        """Reset all connections and wait until nothing of the proxy runs."""
        self.cut()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _settle() -> None:
    """Let what is under way come to its end: turns of the loop, however busy the machine is."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


@asynccontextmanager
async def proxying(target: str) -> AsyncIterator[Proxy]:
    """Run a proxy until the block ends.

    Args:
        target: `HOST:PORT` of the callee; whether it listens shows with each connection.
    """
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy._carry, "127.0.0.1", 0)  # noqa: SLF001
    proxy.address = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
    try:
        yield proxy
    finally:
        # In Python 3.11 a server that is closed drops a connection which it is about to accept, and
        # leaves its socket open.
        await _settle()
        server.close()
        await proxy.end()
        await server.wait_closed()
        await _settle()
