"""The HTTP port of a process."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import formatdate
from time import monotonic
from typing import Final

import uvicorn
from litestar.types import ASGIApp
from uvicorn.server import ServerState

from seam.http.streams import Streams
from seam.runtime.body_budget import BodyBudget
from seam.runtime.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from seam.runtime.cutoffs import Cutoffs
from seam.runtime.http_connection import HttpConnection
from seam.runtime.http_listener import HttpListener
from seam.runtime.topology import Address

log = logging.getLogger(__name__)

BACKLOG: Final = 2048

SETTLING: Final = 0.1
"""Seconds at the end in which what the kernel has accepted is taken and read."""

LETTING_GO: Final = 1.0
"""Seconds that a request has to let go of what it holds once it was cut off."""

_TICK: Final = 0.02


@asynccontextmanager
async def serve_http(
    app: ASGIApp,
    address: Address | HttpListener,
    *,
    grace: float,
    limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Address]:
    """Serve an ASGI application until the block ends, then finish the requests under way.

    At the end every connection that was accepted is served, and none is accepted any more. What
    is not a whole request by then is refused.

    Args:
        app: the application.
        address: where to listen, or what listens already.
        grace: seconds that requests under way have at the end.
        limits: what clients may do with their connections.
        tls: serve over TLS, with this.

    Yields:
        The address with the port that was bound.

    Raises:
        OSError: the address cannot be bound.
    """
    # Each service and each client of ours needs descriptors as well.
    most = min(limits.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    limits = replace(limits, connections=most)
    config = uvicorn.Config(
        app, loop="none", ws="none", lifespan="off", log_config=None, access_log=False
    )
    config.load()
    state, cutoffs, streams = ServerState(), Cutoffs(), Streams()
    bodies = BodyBudget(limits.bodies_bytes)
    listener = HttpListener.bind(address) if isinstance(address, Address) else address
    _let_go_of_the_dead(listener.socket, limits.unread_seconds)
    leaving = False

    def accept() -> HttpConnection:
        connection = HttpConnection(config, state, limits, cutoffs, streams=streams, bodies=bodies)
        if leaving:
            connection.leave()
        return connection

    def leave() -> None:
        nonlocal leaving
        leaving = True
        for connection in _connections(state):
            connection.leave()

    server = await asyncio.get_running_loop().create_server(
        accept,
        sock=listener.socket,
        backlog=BACKLOG,
        ssl=tls,
        ssl_handshake_timeout=limits.head_seconds if tls else None,
    )
    listener.on_leave(leave)
    dating = asyncio.create_task(_date(state))
    try:
        yield listener.address
    finally:
        try:
            leave()
            await _stop_listening(server, listener)
            # They would last; their clients can go on elsewhere.
            streams.leaving.set()
            await _finish(state, grace)
        finally:
            dating.cancel()
            for task in state.tasks:
                task.cancel()
            for connection in list(state.connections):
                connection.transport.abort()


async def _stop_listening(server: asyncio.Server, listener: HttpListener) -> None:
    """Take all that the kernel has accepted, and nothing after it.

    A listener that is closed resets those that it has accepted and nobody has taken, and until
    then there may be new ones at any time. So nobody is let in any more at first, and who
    tries again later is refused. One that others listen on is left to them.
    """
    if listener.outlives:
        server.close()
        await asyncio.sleep(SETTLING)
    else:
        listener.refuse_new()
        await asyncio.sleep(SETTLING)
        server.close()


def _let_go_of_the_dead(listener: socket.socket, seconds: float) -> None:
    """Let the kernel end connections whose clients acknowledge nothing; else it tries for long.

    Source: https://man7.org/linux/man-pages/man7/tcp.7.html, TCP_USER_TIMEOUT. Connections have it
    from their listener.
    """
    if sys.platform == "linux":
        milliseconds = int(seconds * 1_000)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


async def _finish(state: ServerState, grace: float) -> None:
    """Answer whole requests, and cut off those that take longer than `grace`."""
    for connection in _connections(state):
        connection.shutdown()
    end = monotonic() + grace
    while _busy(state) and monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(_TICK)
    if state.tasks:
        log.warning("cut off %d requests that took too long to finish", len(state.tasks))
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=LETTING_GO)


def _busy(state: ServerState) -> bool:
    return bool(state.tasks) or any(connection.busy for connection in _connections(state))


def _connections(state: ServerState) -> list[HttpConnection]:
    return [each for each in state.connections if isinstance(each, HttpConnection)]


async def _date(state: ServerState) -> None:
    """Keep the `Date` of answers."""
    while True:
        state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        await asyncio.sleep(1)
