"""The callee's side of a call over NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType
from typing import Any, Final

from google.rpc.status_pb2 import Status
from nats.aio.msg import Msg

from seam.bus.deadline import LONGEST_TIMEOUT
from seam.bus.interceptor import Invoke, StreamInvoke
from seam.bus.nats.connection import Connection
from seam.bus.nats.messages import MessageReader, MessageWriter
from seam.bus.nats.protocol import (
    ALIVE,
    NO_RESPONDERS,
    PART,
    PATIENCE,
    Cancel,
    Credit,
    Done,
    End,
    Frame,
    Open,
    Part,
    caller_of,
    decode,
    encode,
    metadata_from_wire,
    metadata_to_wire,
)
from seam.bus.registry import HandlerRegistry
from seam.bus.server_call import request_decoder, response_encoder
from seam.bus.streams import close, only
from seam.call.context import CallContext
from seam.call.metadata import EMPTY
from seam.call.principal import ANONYMOUS, claimed
from seam.codec.status import StatusCodec
from seam.contract.descriptors import Kind, MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record

ACCEPT_AFTER: Final = 0.005
"""Seconds after which a caller is told that its call is being answered, if it has not been."""


@dataclass(frozen=True, slots=True)
class Answering:
    """How one method is answered."""

    method: MethodDescriptor[Any, Any]
    invoke: Invoke | None
    stream: StreamInvoke | None
    read: Callable[[bytes], Record]
    write: Callable[[Record], bytes]
    status: StatusCodec


def answering_of(method: MethodDescriptor[Any, Any], registry: HandlerRegistry) -> Answering:
    """Find what answers a method in `registry`."""
    is_unary = method.kind is Kind.UNARY
    return Answering(
        method,
        registry.server_call(method) if is_unary else None,
        None if is_unary else registry.stream_server_call(method),
        request_decoder(method),
        response_encoder(method),
        StatusCodec(method),
    )


class IncomingCall:
    """A call that is being answered.

    Attributes:
        owner: name of the service that answers it.
        task: answers it.
    """

    __slots__ = (
        "_answering",
        "_caller",
        "_connection",
        "_context",
        "_introduced",
        "_left",
        "_reader",
        "_silent",
        "_subject",
        "_writer",
        "owner",
        "task",
    )

    def __init__(
        self,
        connection: Connection,
        number: int,
        asked: Msg,
        answering: Answering,
        opening: Open,
    ) -> None:
        """Begin to answer a call.

        Args:
            connection: the way to its caller.
            number: tells it from the others of this connection.
            asked: the message that began it.
            answering: how its method is answered.
            opening: began it.
        """
        self._connection = connection
        self._subject = f"{connection.inbox}.{number}"
        self._caller = asked.reply
        self._answering = answering
        self._silent = 0
        self._introduced = False
        self._left = False
        self._reader = MessageReader(self._send)
        self._writer = MessageWriter(self._send)
        seconds = min(opening.seconds, LONGEST_TIMEOUT)
        self._context = CallContext(
            monotonic() + seconds,
            opening.traceparent,
            claimed(opening.token) if opening.token else ANONYMOUS,
            MappingProxyType(opening.baggage) if opening.baggage else EMPTY,
            MappingProxyType(metadata_from_wire(opening.metadata)) if opening.metadata else EMPTY,
            caller_of(asked.subject),
            opening.tracestate,
        )
        if opening.data is not None:
            self._reader.begin(opening.data, last=opening.last)
        if opening.last:
            self._reader.end()
        self.owner = answering.method.owner
        loop = asyncio.get_running_loop()
        self.task = loop.create_task(self._answer(seconds))

    def received(self, message: Msg) -> None:
        """Take what the caller, or NATS itself, says."""
        self._silent = 0
        frame = decode(message.data)
        if isinstance(frame, Part):
            if not self._reader.add(frame):
                self.cancel()
            elif frame.last and not self._answering.method.kind.client_streaming:
                self._reader.end()
        elif isinstance(frame, Credit):
            self._writer.credit(frame.read)
        elif isinstance(frame, End):
            if self._reader.expects(frame.number):
                self._reader.end()
            else:
                self.cancel()
        elif isinstance(frame, Cancel) or (
            frame is None and (message.headers or {}).get("Status") == NO_RESPONDERS
        ):
            self.cancel()

    def tick(self) -> None:
        """Give a sign of life, and end the call if the caller gave none for long."""
        self._silent += 1
        if self._silent > PATIENCE:
            self.cancel()
        elif not self._left:
            self._say_alive()

    def cancel(self) -> None:
        """Cancel the handler, once, so that it can tidy up: nobody waits for it any more."""
        if self._left:
            return
        self._left = True
        self.task.cancel()
        self._reader.abandon(StatusError(Code.CANCELLED, "the stream of requests broke off"))

    def end(self, error: StatusError) -> None:
        """Cancel the handler, and tell the caller why."""
        self._done(status=self._answering.status.pack(error))
        self.cancel()

    async def _answer(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        accept = late = None
        if self._reader.ended:
            accept = loop.call_later(ACCEPT_AFTER, self._say_alive)
        else:
            self._say_alive()
        try:
            if self._answering.invoke is not None:
                await self._answer_once(self._answering.invoke)
            elif self._answering.stream is not None:
                late = loop.call_later(seconds, self.cancel)
                await self._answer_stream(self._answering.stream)
        except StatusError as error:
            self._done(status=self._answering.status.pack(error))
        finally:
            for timer in (accept, late):
                if timer is not None:
                    timer.cancel()

    async def _answer_once(self, invoke: Invoke) -> None:
        answering = self._answering
        request = answering.read(await only(self._reader, answering.method))
        answer = answering.write(await invoke(request, self._context))
        if len(answer) <= PART:
            self._done(answer)
        else:
            await self._writer.write(answer)
            self._done()

    async def _answer_stream(self, stream: StreamInvoke) -> None:
        responses = stream(self._requests(), self._context)
        try:
            async for response in responses:
                await self._writer.write(self._answering.write(response))
        finally:
            await close(responses)
        self._done()

    async def _requests(self) -> AsyncIterator[Record]:
        async for message in self._reader:
            yield self._answering.read(message)

    def _say_alive(self) -> None:
        self._introduced = True
        self._connection.post(self._caller, ALIVE, self._subject)

    def _send(self, frame: Frame) -> None:
        if self._left:
            return
        # The caller must know whom to tell how much of the answer it has read.
        if not self._introduced and isinstance(frame, Part):
            self._say_alive()
        self._connection.post(self._caller, encode(frame))

    def _done(self, answer: bytes | None = None, status: Status | None = None) -> None:
        packed = None if status is None else status.SerializeToString()
        trailers = metadata_to_wire(self._context.trailing_metadata)
        self._send(Done(self._writer.number, answer, packed, trailers))
