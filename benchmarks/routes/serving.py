"""Serves an ASGI application as people do: uvicorn with its fast parts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    """Says where it listens, and leaves signals to the process that it runs in."""

    def __init__(self, application: Any, listening: Callable[[str], None]) -> None:  # noqa: ANN401
        # Without a log of each request, which the shop does not write either.
        super().__init__(
            uvicorn.Config(
                application,
                port=0,
                loop="uvloop",
                http="httptools",
                log_level="warning",
                access_log=False,
            )
        )
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        self._listening(f"127.0.0.1:{port}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_application(application: Any, listening: Callable[[str], None]) -> None:  # noqa: ANN401
    """Serve on a port that the system chooses, until cancelled."""
    server = _Server(application, listening)
    serving = asyncio.ensure_future(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
