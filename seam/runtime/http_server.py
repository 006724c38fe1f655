"""The HTTP port of a process."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import resource
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email.utils import formatdate
from time import monotonic
from typing import Final

import uvicorn
from litestar.types import ASGIApp
from uvicorn.server import ServerState

from seam.http.streams import Streams
from seam.runtime.http_connection import (
    DEFAULT_CONNECTION_LIMITS,
    ConnectionLimits,
    Cutoffs,
    HttpConnection,
)
from seam.runtime.topology import Address

log = logging.getLogger(__name__)

BACKLOG: Final = 2048

SETTLING: Final = 0.1
"""Seconds at the end in which what the kernel has accepted is taken and read."""

LETTING_GO: Final = 1.0
"""Seconds that a request has to let go of what it holds once it was cut off."""

_TICK: Final = 0.02

_SO_ATTACH_FILTER: Final = 26
_DROP_SYN: Final = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x45, 0, 1, 0x02),  # unless SYN is one of them, skip
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep
)
"""A classic BPF program: code, jump if true, jump if false, operand."""


@asynccontextmanager
async def serve_http(
    app: ASGIApp,
    address: Address,
    *,
    grace: float,
    limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
) -> AsyncIterator[Address]:
    """Serve an ASGI application until the block ends, then finish the requests under way.

    At the end every connection that was accepted is served, and none is accepted any more. What
    is not a whole request by then is refused.

    Args:
        app: the application.
        address: where to listen.
        grace: seconds that requests under way have at the end.
        limits: what clients may do with their connections.

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
    listener = _listen(address)
    _let_go_of_the_dead(listener, limits.unread_seconds)
    bound = Address(address.host, listener.getsockname()[1])
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpConnection(config, state, limits, cutoffs, streams),
        sock=listener,
        backlog=BACKLOG,
    )
    dating = asyncio.create_task(_date(state))
    try:
        yield bound
    finally:
        try:
            await _stop_listening(server, listener, state)
            # They would last; their clients can go on elsewhere.
            streams.leaving.set()
            await _finish(state, grace)
        finally:
            dating.cancel()
            for task in state.tasks:
                task.cancel()
            for connection in list(state.connections):
                connection.transport.abort()


async def _stop_listening(
    server: asyncio.Server, listener: socket.socket, state: ServerState
) -> None:
    """Take all that the kernel has accepted, and nothing after it.

    A listener that is closed resets those that it has accepted and nobody has taken, and until
    then there may be new ones at any time. So nobody is let in any more at first, and who
    tries again later is refused.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            _drop_new_connections(listener)
    for connection in _connections(state):
        connection.leave()
    await asyncio.sleep(SETTLING)
    server.close()


def _drop_new_connections(listener: socket.socket) -> None:
    """Let the kernel drop the first packet of a connection, but none of those under way.

    Source: https://www.kernel.org/doc/html/latest/networking/filter.html
    """
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(instructions))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


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
    except OSError:
        listener.close()
        raise
    return listener
