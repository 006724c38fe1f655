"""The caller's side of calls over NATS: all that are under way on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from google.rpc.status_pb2 import Status
from nats.aio.msg import Msg

from seam.bus.nats.connection import Connection
from seam.bus.nats.messages import MessageReader, MessageWriter
from seam.bus.nats.protocol import (
    ALIVE,
    CANCEL,
    FIRST_PATIENCE,
    NO_RESPONDERS,
    PART,
    PATIENCE,
    PING,
    Credit,
    Done,
    End,
    Frame,
    Open,
    Part,
    calls_subject,
    decode,
    encode,
    metadata_to_wire,
)
from seam.call.context import CallContext
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record

_NOBODY: Final = "no process answers"
_SILENT: Final = "the process that answers it is silent"


class AwayError(StatusError):
    """The callee cannot be reached.

    Attributes:
        reason: why, for the log; "" when it has been logged already.
    """

    def __init__(self, reason: str) -> None:
        """Give the `reason`."""
        super().__init__(Code.UNAVAILABLE, "not available")
        self.reason = reason


class Caller:
    """Makes calls over one connection, and hands what comes back to the call that it belongs to."""

    def __init__(self, url: str) -> None:
        """Prepare to make calls over the NATS server at `url`."""
        self.connection = Connection(url, self)
        self._calls: dict[int, OutgoingCall] = {}
        self._number = 0

    async def call(self, deadline: float) -> OutgoingCall:
        """Prepare a call that ends at `deadline`, on the clock of `time.monotonic`.

        Raises:
            AwayError: the NATS server is away.
        """
        if not self.connection.inbox:
            # Only the first link is waited for.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.connection.tried(), deadline - monotonic())
        if not self.connection.inbox:
            raise AwayError("")
        self._number += 1
        call = OutgoingCall(self.connection, self._calls, self._number)
        self._calls[self._number] = call
        return call

    async def ping(self, service: str, seconds: float) -> str | None:
        """Find out whether somebody answers the calls of a contract service.

        Returns:
            What is wrong with whoever does; None when nothing is.

        Args:
            service: its full name.
            seconds: how long the answer may take.

        Raises:
            AwayError: nobody does.
            TimeoutError: nobody has answered yet.
        """
        async with asyncio.timeout(seconds):
            with await self.call(monotonic() + seconds) as call:
                return await call.ping(service)

    def received(self, number: int, message: Msg) -> None:
        """See `Party`."""
        call = self._calls.get(number)
        if call is not None:
            call.received(message)
        elif message.reply:
            # The call's caller has left before it knew whom to tell.
            self.connection.post(message.reply, CANCEL)

    def tick(self) -> None:
        """See `Party`."""
        for call in tuple(self._calls.values()):
            call.tick()

    def lost(self) -> None:
        """See `Party`."""
        for call in tuple(self._calls.values()):
            call.lose("")


class OutgoingCall:
    """One call; leaving its block ends it.

    Attributes:
        reader: gives the responses, then what the call failed with.
        done: how the callee ended the call, once it did.
    """

    __slots__ = (
        "_accepted",
        "_callee",
        "_calls",
        "_connection",
        "_number",
        "_silent",
        "_subject",
        "_unpack",
        "_writer",
        "_writing",
        "done",
        "reader",
    )

    def __init__(self, connection: Connection, calls: dict[int, OutgoingCall], number: int) -> None:
        """Prepare the call with this number among `calls`."""
        self._connection = connection
        self._calls = calls
        self._number = number
        self._subject = f"{connection.inbox}.{number}"
        self._callee = ""
        self._silent = 0
        self._accepted: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._writer: MessageWriter | None = None
        self._unpack: Callable[[bytes], StatusError] | None = None
        self.reader = MessageReader(self._send)
        self.done: Done | None = None

    def begin(
        self,
        method: MethodDescriptor[Any, Any],
        call: CallContext,
        unpack: Callable[[bytes], StatusError],
        request: bytes | None,
    ) -> None:
        """Begin the call.

        Args:
            method: the method that is called.
            call: what travels with it.
            unpack: reads the status that it may fail with.
            request: the only request; None when requests follow.
        """
        self._unpack = unpack
        last = request is not None and len(request) <= PART
        data = request if last or request is None else request[:PART]
        opening = Open(
            method.name,
            call.deadline - monotonic(),
            data,
            last,
            call.traceparent,
            call.principal.token,
            dict(call.baggage),
            metadata_to_wire(call.metadata),
            call.tracestate,
        )
        subject = calls_subject(method.service, call.caller)
        self._connection.post(subject, encode(opening), self._subject)
        if request is not None and not last:
            self._writer = MessageWriter(self._send, begun_with=data)
            self._write_in_background(self._write_rest(self._writer, request))

    def write(self, requests: AsyncIterator[Record], write: Callable[[Record], bytes]) -> None:
        """Send requests, as they come and as they are read, and say when they are all."""
        self._writer = MessageWriter(self._send)
        self._write_in_background(self._write_all(self._writer, requests, write))

    async def ping(self, service: str) -> str | None:
        """Wait for a sign of life of somebody who answers a contract service.

        Returns:
            What they say is wrong with them; None when nothing is.
        """
        self._connection.post(calls_subject(service), PING, self._subject)
        async for _ in self.reader:
            pass
        if self.done is None or self.done.status is None:
            return None
        problem: str = Status.FromString(self.done.status).message
        return problem

    def received(self, message: Msg) -> None:
        """Take what the callee, or NATS itself, says."""
        self._silent = 0
        if message.reply:
            self._callee = message.reply
            if self._accepted is not None and not self._accepted.done():
                self._accepted.set_result(None)
        frame = decode(message.data)
        if isinstance(frame, Done):
            self._end(frame)
        elif isinstance(frame, Part):
            if not self.reader.add(frame):
                self.lose("a part of its answer was lost")
        elif isinstance(frame, Credit):
            if self._writer is not None:
                self._writer.credit(frame.read)
        elif frame is None and _is_unheard(message):
            self.lose(_NOBODY)

    def tick(self) -> None:
        """Give a sign of life, and end the call if the callee gave none for long."""
        self._silent += 1
        if self._silent > (PATIENCE if self._callee else FIRST_PATIENCE):
            self.lose(_SILENT)
        elif self._callee:
            self._connection.post(self._callee, ALIVE, self._subject)

    def lose(self, reason: str) -> None:
        """End the call, because the callee is gone; see `AwayError`."""
        self.reader.end(AwayError(reason))

    def expire(self, error: StatusError) -> None:
        """End the call, because its time is over."""
        self.reader.abandon(error)

    def __enter__(self) -> Self:
        """The call itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call, and tell the callee, if it did not end it."""
        del self._calls[self._number]
        if self._writing is not None:
            self._writing.cancel()
        if self.done is None and self._callee:
            self._connection.post(self._callee, CANCEL)

    def _send(self, frame: Frame) -> None:
        if self._callee:
            self._connection.post(self._callee, encode(frame))

    def _end(self, done: Done) -> None:
        if not self.reader.expects(done.number):
            self.lose("a part of its answer was lost")
            return
        self.done = done
        if done.data is not None:
            self.reader.begin(done.data, last=True)
        if done.status is not None and self._unpack is not None:
            self.reader.end(self._unpack(done.status))
        else:
            self.reader.end()

    def _write_in_background(self, writing: Coroutine[Any, Any, None]) -> None:
        self._writing = asyncio.create_task(writing)
        self._writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Task[None]) -> None:
        """End the call whose requests could not be written: a mistake of the caller's own."""
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self.reader.abandon(error)

    async def _write_rest(self, writer: MessageWriter, request: bytes) -> None:
        await self._until_accepted()
        await writer.write(request, begin=PART)

    async def _write_all(
        self,
        writer: MessageWriter,
        requests: AsyncIterator[Record],
        write: Callable[[Record], bytes],
    ) -> None:
        await self._until_accepted()
        async for request in requests:
            await writer.write(write(request))
        self._send(End(writer.number))

    async def _until_accepted(self) -> None:
        """Wait until the callee has said where it hears of this call."""
        if not self._callee:
            self._accepted = asyncio.get_running_loop().create_future()
            await self._accepted


def _is_unheard(message: Msg) -> bool:
    return not message.data and (message.headers or {}).get("Status") == NO_RESPONDERS
