"""Messages of one direction of a call: in parts, in order, and no faster than they are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from seam.bus.nats.protocol import PART, PART_OVERHEAD, WINDOW, Credit, Frame, Part
from seam.bus.pipe import Pipe
from seam.codec.message_size import MAXIMUM_MESSAGE_BYTES
from seam.contract.errors import Code, StatusError

Send = Callable[[Frame], None]
"""Sends a frame to the other side of a call."""


class MessageWriter:
    """Writes the messages of one direction.

    Attributes:
        number: of parts that were written, without one that began the call.
    """

    __slots__ = ("_read", "_send", "_waiter", "_written", "number")

    def __init__(self, send: Send, *, begun_with: bytes | None = None) -> None:
        """Write by `send`, after the first part of a message has begun the call, if one has."""
        self._send = send
        self._written = 0 if begun_with is None else _cost(begun_with)
        self._read = 0
        self._waiter: asyncio.Future[None] | None = None
        self.number = 0

    async def write(self, message: bytes, *, begin: int = 0) -> None:
        """Write a message as soon as the reader lets it.

        Args:
            message: the whole message.
            begin: how much of it was sent already.
        """
        while True:
            while self._written - self._read >= WINDOW:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
            part = message[begin : begin + PART]
            begin += PART
            self._written += _cost(part)
            last = begin >= len(message)
            self._send(Part(self.number, part, last))
            self.number += 1
            if last:
                return

    def credit(self, read: int) -> None:
        """Learn how much was read."""
        self._read = max(self._read, read)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class MessageReader:
    """The messages of one direction, as an asynchronous iterator of whole ones."""

    __slots__ = ("_arrived", "_number", "_parts", "_pipe", "_read", "_said", "_send")

    def __init__(self, send: Send) -> None:
        """Read what `add` is given; `send` tells the writer how much was read."""
        self._send = send
        # How much it holds is bounded by the writer's window.
        self._pipe: Pipe[tuple[bytes, int]] = Pipe(WINDOW)
        self._parts: list[bytes] = []
        self._number = 0
        # Of the message that is not whole yet, what has not been counted as read.
        self._arrived = 0
        self._read = 0
        self._said = 0

    @property
    def ended(self) -> bool:
        """Whether no more messages will arrive."""
        return self._pipe.ended

    def begin(self, data: bytes, *, last: bool) -> None:
        """Take the part that began the call."""
        self._take(data, last=last)

    def add(self, part: Part) -> bool:
        """Take the next part; False if one before it was lost."""
        if not self.expects(part.number):
            return False
        self._number += 1
        self._take(part.data, last=part.last)
        return True

    def expects(self, number: int) -> bool:
        """Whether all parts before the one with this number have arrived."""
        return number == self._number

    def end(self, error: BaseException | None = None) -> None:
        """No more will arrive; the reader gets `error`, if there is one, after what is whole."""
        if error is None and self._parts:
            error = StatusError(Code.INTERNAL, "the last message is not whole")
        self._pipe.end(error)
        self._parts.clear()

    def abandon(self, error: BaseException) -> None:
        """End at once: the reader gets `error` next."""
        self._pipe.abandon(error)
        self._parts.clear()

    def __aiter__(self) -> MessageReader:
        """The reader itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next message.

        Raises:
            StopAsyncIteration: there are no more.
            BaseException: what they ended with.
        """
        # Waiting for a message that has begun is what lets the rest of it come.
        if self._parts and not self._pipe.ready:
            self._grant(self._arrived)
            self._arrived = 0
        message, cost = await anext(self._pipe)
        self._grant(cost)
        return message

    def _take(self, data: bytes, *, last: bool) -> None:
        if self._pipe.ended:
            return
        self._parts.append(data)
        self._arrived += _cost(data)
        if sum(map(len, self._parts)) > MAXIMUM_MESSAGE_BYTES:
            reason = f"a message of more than {MAXIMUM_MESSAGE_BYTES} bytes"
            self.end(StatusError(Code.RESOURCE_EXHAUSTED, reason))
        elif last:
            message = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            self._pipe.offer((message, self._arrived))
            self._arrived = 0
        elif self._pipe.awaited:
            self._grant(self._arrived)
            self._arrived = 0

    def _grant(self, cost: int) -> None:
        self._read += cost
        # Half of a window at a time: a writer who has used all of his hears of it in any case.
        if self._read - self._said >= WINDOW // 2 and not self._pipe.ended:
            self._said = self._read
            self._send(Credit(self._read))


def _cost(part: bytes) -> int:
    return len(part) + PART_OVERHEAD
