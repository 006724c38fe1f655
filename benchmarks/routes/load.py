"""Sends requests over connections that stay open, each waiting for its answer.

The answers are cut out of the bytes without a parser, so that one core of this makes several times
what a server answers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Final

CONNECTIONS: Final = 16

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length: "


@dataclass(frozen=True)
class Load:
    """What was answered while requests were sent.

    Attributes:
        requests: how many.
        seconds: in which time.
        latencies: seconds that each took, in ascending order.
    """

    requests: int
    seconds: float
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def p50(self) -> float:
        """Seconds within which half of them were answered."""
        return self.latencies[len(self.latencies) // 2]

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 were answered."""
        return self.latencies[int(len(self.latencies) * 0.99)]


class RefusedError(Exception):
    """A request was answered with something else than success; has the answer."""


async def send(address: str, requests: Sequence[bytes], seconds: float, start: int = 0) -> Load:
    """Send requests to a server for some time.

    Args:
        address: HOST:PORT.
        requests: whole requests; connections take them in turns, and begin again at the end.
        seconds: how long.
        start: which one to begin with.

    Raises:
        RefusedError: one of them was refused.
    """
    latencies: list[float] = []
    begun = perf_counter()
    sequence = islice(cycle(requests), start % len(requests), None)
    await _send(address, sequence, begun + seconds, latencies, None)
    return Load(len(latencies), perf_counter() - begun, sorted(latencies))


async def send_once(
    address: str, requests: Sequence[bytes], connections: int = CONNECTIONS
) -> tuple[Load, list[bytes]]:
    """Send each request once, some at a time; gives the answers' bodies as well.

    Raises:
        RefusedError: one of them was refused.
    """
    latencies: list[float] = []
    bodies: list[bytes] = []
    begun = perf_counter()
    await _send(address, iter(requests), math.inf, latencies, bodies, connections=connections)
    return Load(len(latencies), perf_counter() - begun, sorted(latencies)), bodies


async def ask(address: str, requests: Sequence[bytes]) -> list[bytes]:
    """Send each request once; gives the answers' bodies, in whatever order they came.

    Raises:
        RefusedError: one of them was refused.
    """
    bodies: list[bytes] = []
    await _send(address, iter(requests), math.inf, [], bodies)
    return bodies


async def _send(
    address: str,
    requests: Iterator[bytes],
    until: float,
    latencies: list[float],
    bodies: list[bytes] | None,
    *,
    connections: int = CONNECTIONS,
) -> None:
    loop = asyncio.get_running_loop()
    host, _, port = address.rpartition(":")
    opened = [
        await loop.create_connection(
            lambda: _Connection(requests, until, latencies, bodies), host, int(port)
        )
        for _ in range(connections)
    ]
    for transport, connection in opened:
        connection.begin(transport)
    try:
        await asyncio.gather(*(connection.ended for _, connection in opened))
    finally:
        for transport, _ in opened:
            transport.close()


class _Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered."""

    def __init__(
        self,
        requests: Iterator[bytes],
        until: float,
        latencies: list[float],
        bodies: list[bytes] | None,
    ) -> None:
        self._requests = requests
        self._until = until
        self._latencies = latencies
        self._bodies = bodies
        self._buffer = b""
        self._sent = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def begin(self, transport: asyncio.WriteTransport) -> None:
        """Send the first request."""
        self._write = transport.write
        self._next(perf_counter())

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        size, body = _parts(data)
        if not body or len(data) < size:
            self._buffer = data
            return
        self._buffer = b""
        now = perf_counter()
        self._latencies.append(now - self._sent)
        if self._bodies is not None:
            self._bodies.append(data[body:])
        if data[9:10] != b"2":
            self._fail(RefusedError(data.decode(errors="replace")))
        else:
            self._next(now)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionResetError("the server has hung up"))

    def _next(self, now: float) -> None:
        request = next(self._requests, None) if now < self._until else None
        if request is None:
            self.ended.set_result(None)
            return
        self._sent = now
        self._write(request)

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _parts(data: bytes) -> tuple[int, int]:
    """Bytes of a whole answer, and where its body begins; zeros until its head is there."""
    head = data.find(_END_OF_HEAD)
    if head < 0:
        return 0, 0
    at = data.find(_LENGTH, 0, head)
    if at < 0:
        raise RefusedError(f"an answer without a length: {data[:head].decode()}")
    at += len(_LENGTH)
    body = head + len(_END_OF_HEAD)
    return body + int(data[at : data.find(b"\r", at)]), body
