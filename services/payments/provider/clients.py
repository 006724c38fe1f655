"""HTTP clients with one connection each, of which a request has one for itself.

A client with many connections asks the system of each idle one, twice for each request, whether the
other end has closed it, and that grows with their number.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx


class Clients:
    """As many clients as there are requests at a time."""

    def __init__(self, open_client: Callable[[], httpx.AsyncClient], most: int) -> None:
        """Make clients with `open_client` when they are needed, `most` of them at most."""
        self._open_client = open_client
        self._room = asyncio.Semaphore(most)
        self._idle: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else has until the block ends; waits for one if need be."""
        async with self._room:
            # The one that was used last is the likeliest to have a connection that is still open.
            client = self._idle.pop() if self._idle else self._open_client()
            try:
                yield client
            finally:
                self._idle.append(client)

    async def close(self) -> None:
        """Close all of them; nobody may have one any more."""
        while self._idle:
            await self._idle.pop().aclose()
