"""One direction of an RPC: messages in order, with back-pressure.

A writer waits once `WINDOW` bytes are unread, so a slow reader stops a fast writer. The window
counts bytes, like HTTP/2's flow control, and not messages: programs that write some hundred
small messages before they read, on both sides at once, work over gRPC and must work here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

WINDOW: Final = 65_535
"""Unread bytes at which a writer has to wait: HTTP/2's initial window (RFC 9113, 6.9.2)."""

FRAME: Final = 5
"""Bytes that gRPC sends in front of each message; they keep empty messages from being free."""


class EndedError(Exception):
    """The stream takes no more messages, because the RPC is over."""


class Wakeup:
    """Lets tasks wait until something has changed; each then looks for itself what it is."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._waiters)

    async def wait(self) -> None:
        """Wait for the next `wake`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            # Who waits with a time limit, again and again, must leave nothing behind.
            with suppress(ValueError):
                self._waiters.remove(waiter)
            raise

    def wake(self) -> None:
        """Wake every task that waits now."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)


class MessageStream:
    """Serialized messages from one writer to one reader."""

    __slots__ = ("_changed", "_closed", "_messages", "_unread")

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._unread = 0
        self._closed = False
        self._changed = Wakeup()

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read, and nothing will come."""
        return self._closed and not self._messages

    async def put(self, message: bytes) -> None:
        """Write a message as soon as there is room for it.

        Raises:
            EndedError: the stream is closed, or was while the writer waited.
        """
        while self._unread >= WINDOW and not self._closed:
            await self._changed.wait()
        if self._closed:
            raise EndedError
        self.put_first(message)

    def put_first(self, message: bytes) -> None:
        """Write a message that fits for certain, because nothing was written before it."""
        self._messages.append(message)
        self._unread += len(message) + FRAME
        self._changed.wake()

    async def get(self) -> bytes | None:
        """Read the next message; None when there will be no more."""
        while not self._messages:
            if self._closed:
                return None
            await self._changed.wait()
        message = self._messages.popleft()
        self._unread -= len(message) + FRAME
        self._changed.wake()
        return message

    def close(self) -> None:
        """Take no more messages. What was written can still be read."""
        self._closed = True
        self._changed.wake()

    def discard(self) -> None:
        """Take no more messages, and drop what was not read."""
        self._messages.clear()
        self.close()
