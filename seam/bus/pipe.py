"""A bounded queue between one writer and one reader, which either of them can end."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Pipe(Generic[T]):
    """Carries items in order, and makes the writer wait while the reader is behind.

    It is an asynchronous iterator for the reader. Items that were written before the writer's end
    are read first; an error of the writer follows them.
    """

    __slots__ = ("_capacity", "_closed", "_ended", "_error", "_items", "_reader", "_writer")

    def __init__(self, capacity: int) -> None:
        """Make an empty pipe that holds `capacity` items at the most."""
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the writer has ended, or the pipe was abandoned."""
        return self._ended

    def offer(self, item: T) -> bool:
        """Write an item if there is room for it and somebody will read it; says whether."""
        if len(self._items) >= self._capacity or self._closed:
            return False
        self._items.append(item)
        if self._reader is not None:
            self._wake(self._reader)
        return True

    async def put(self, item: T) -> bool:
        """Write an item as soon as there is room; False when nobody will read it."""
        while len(self._items) >= self._capacity and not self._closed:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None
        return self.offer(item)

    def end(self, error: BaseException | None = None) -> None:
        """Write no more; the reader gets `error`, if there is one, after what is written."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._wake(self._reader)

    def abandon(self, error: BaseException) -> None:
        """End at once: the reader gets `error` next, and the writer learns that nobody reads."""
        if not (self._ended and not self._items):
            self._ended, self._error = True, error
            self._wake(self._reader)
        self.close()

    def close(self) -> None:
        """Read no more; the writer learns it at its next item."""
        self._closed = True
        self._items.clear()
        self._wake(self._writer)

    def __aiter__(self) -> Pipe[T]:
        """The pipe itself."""
        return self

    @property
    def ready(self) -> bool:
        """Whether there is an item, and nobody who waits for it."""
        return bool(self._items) and self._reader is None

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the next item."""
        return self._reader is not None

    async def __anext__(self) -> T:
        """The next item.

        Raises:
            StopAsyncIteration: the writer has ended.
            BaseException: what the writer ended with.
            RuntimeError: somebody else waits for the next item.
        """
        if self._reader is not None:
            raise RuntimeError("somebody else is reading; a stream has one reader at a time")
        while not self._items:
            if self._ended:
                if self._error is None:
                    raise StopAsyncIteration
                raise self._error
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self.take()

    def take(self) -> T:
        """The next item, because there is one.

        Raises:
            IndexError: there is none.
        """
        item = self._items.popleft()
        if self._writer is not None:
            self._wake(self._writer)
        return item

    @staticmethod
    def _wake(waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
