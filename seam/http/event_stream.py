"""Answers a request with server-sent events, one for each record of a stream.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html.

The answer begins with the first record, or after a second without one, so that what is refused at
once is a problem like any other. After that an error is an event `error` that holds the problem. A
stream that has come to its end says so by an event `end`. One that ends without either has lasted
as long as it may, or its server leaves: a browser connects again, and says by `Last-Event-ID` which
record it had last.

Comments are sent while there is nothing to say, so that whatever lies between knows that the
connection is alive. A client that leaves what it is sent is cut off, and can resume.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Generic, TypeVar
from urllib.parse import quote, unquote

import msgspec
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from seam.bus import ResponseStream
from seam.contract import Code, InvalidField, StatusError
from seam.contract.records import Record
from seam.http.handshake import is_handshake
from seam.http.messages import HttpRequest
from seam.http.streams import UNREAD_SECONDS, ProblemOf, Streams, cut_off, streams_of

MEDIA_TYPE: Final = "text/event-stream"

OPENING_SECONDS: Final = 1.0
"""How long the first record, or a refusal, is waited for before the answer begins."""

HEARTBEAT_SECONDS: Final = 15.0
"""How long nothing is sent at the most."""

RETRY_MILLISECONDS: Final = 2_000
"""How long a browser waits before it connects again."""

_LAST_EVENT_ID: Final = "last-event-id"

S = TypeVar("S", bound=Record)
T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode


def last_event_id(request: HttpRequest, read: Callable[[object], T], otherwise: T) -> T:
    """The position after which a client wants to go on.

    Args:
        request: the request; a browser that connects again says it by `Last-Event-ID`.
        read: reads a position.
        otherwise: the position where the client says none.

    Raises:
        InvalidField: there are several, or one that is none.
    """
    given = request.headers.getall(_LAST_EVENT_ID, [])
    if len(given) > 1:
        raise InvalidField(_LAST_EVENT_ID, "given more than once")
    if not given or not given[0]:
        return otherwise
    try:
        return read(unquote(given[0], errors="strict"))
    except UnicodeDecodeError:
        raise InvalidField(_LAST_EVENT_ID, "expected the id of an event") from None
    except InvalidField as error:
        raise error.under(_LAST_EVENT_ID) from None


class EventStream(Generic[S]):
    """The records of a call, as server-sent events."""

    def __init__(
        self,
        call: Callable[[], ResponseStream[S]],
        to_json: Callable[[S], object],
        position: Callable[[S], object] | None = None,
    ) -> None:
        """Prepare an answer.

        Args:
            call: makes the call.
            to_json: makes the ProtoJSON value of a record.
            position: gives the position of a record, which becomes the event's id.
        """
        self._call = call
        self._to_json = to_json
        self._position = position

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, problem_of: ProblemOf
    ) -> None:
        """See `Streamed`. HEAD is answered without a call."""
        if is_handshake(scope):
            raise HTTPException(status_code=400, detail="expected a request without Upgrade")
        writer = _Writer(scope, send)
        if scope.get("method") == "HEAD":
            await writer.begin()
            await writer.end()
            return
        streams = streams_of(scope)
        with streams.one_more():
            async with self._call() as responses, _ending(responses, receive, streams):
                opening = asyncio.create_task(_first(responses))
                try:
                    await asyncio.wait({opening}, timeout=OPENING_SECONDS)
                    if opening.done():
                        # What is refused at once is a problem.
                        opening.result()
                    with suppress(_LeftError):
                        await self._tell(opening, responses, writer, streams, problem_of)
                finally:
                    opening.cancel()

    async def _tell(
        self,
        opening: asyncio.Task[S | None],
        responses: ResponseStream[S],
        writer: _Writer,
        streams: Streams,
        problem_of: ProblemOf,
    ) -> None:
        await writer.begin()
        last = b"event: end\ndata: {}\n\n"
        try:
            async with writer.heartbeats():
                first = await opening
                if first is not None:
                    await writer.write(self._event(first))
                    async for record in responses:
                        await writer.write(self._event(record))
        except _LeftError:
            raise
        except Exception as error:
            last = b""
            lasted = isinstance(error, StatusError) and error.code is Code.DEADLINE_EXCEEDED
            if not lasted and not streams.leaving.is_set():
                last = b"event: error\ndata: %b\n\n" % problem_of(error).content
        await writer.end(last)

    def _event(self, record: S) -> bytes:
        data = b"data: %b\n\n" % _encode(self._to_json(record))
        if self._position is None:
            return data
        # A position may be any text, and an id is one line.
        return b"id: %b\n%b" % (quote(str(self._position(record))).encode(), data)


async def _first(responses: ResponseStream[S]) -> S | None:
    """The first record of a stream, or None when there is none."""
    async for record in responses:
        return record
    return None


class _LeftError(Exception):
    """The client has left, or was cut off."""


class _Writer:
    """Sends events, and cuts off a client that does not take them."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._silent = True

    async def begin(self) -> None:
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"cache-control", b"no-store"),
            # Proxies that gather answers would gather this one for ever.
            (b"x-accel-buffering", b"no"),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.write(b"retry: %d\n\n" % RETRY_MILLISECONDS)

    async def write(self, data: bytes) -> None:
        self._silent = False
        await self._body(data, more=True)

    async def end(self, data: bytes = b"") -> None:
        await self._body(data, more=False)

    async def _body(self, data: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(UNREAD_SECONDS):
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except TimeoutError:
            cut_off(self._scope, "it does not read its stream")
            raise _LeftError from None

    @asynccontextmanager
    async def heartbeats(self) -> AsyncIterator[None]:
        """Say something now and then while the block lasts."""
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()
            # A comment that is being sent must not stand in the middle of what comes next.
            await asyncio.wait([task])

    async def _beat(self) -> None:
        with suppress(_LeftError):
            while True:
                self._silent = True
                await asyncio.sleep(HEARTBEAT_SECONDS)
                if self._silent:
                    await self._body(b": \n\n", more=True)


@asynccontextmanager
async def _ending(
    responses: ResponseStream[S], receive: Receive, streams: Streams
) -> AsyncIterator[None]:
    """End a call as soon as its client or its server leaves."""
    task = asyncio.create_task(_end(responses, receive, streams))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _end(responses: ResponseStream[S], receive: Receive, streams: Streams) -> None:
    waits = {
        asyncio.create_task(_disconnected(receive)),
        asyncio.create_task(streams.leaving.wait()),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    await responses.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
