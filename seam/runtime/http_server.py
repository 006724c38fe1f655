"""The HTTP port of a process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from litestar.types import ASGIApp

from seam.runtime.topology import Address

BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the process and says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serve_http(app: ASGIApp, address: Address, *, grace: float) -> AsyncIterator[Address]:
    """Serve an ASGI application until the block ends, then finish the requests under way.

    Args:
        app: the application.
        address: where to listen.
        grace: seconds that requests under way have at the end.

    Yields:
        The address with the port that was bound.

    Raises:
        OSError: the address cannot be bound.
    """
    listener = _listen(address)
    bound = address if address.is_unix else Address(address.host, listener.getsockname()[1])
    server = _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield bound
    finally:
        server.should_exit = True
        await serving


def _listen(address: Address) -> socket.socket:
    if address.is_unix:
        raise OSError("HTTP is served on HOST:PORT only")
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
