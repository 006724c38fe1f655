"""Answers a request with a WebSocket, over which a call with streams both ways is held.

Path and query make the opening request of the call. Each text frame of the client is a further one,
without the fields that the path gives, and each record of the answer is a text frame. The
connection is accepted before the call is made: a browser does not show a page why a handshake was
refused, so that an error of the call is told by how the connection closes.

| close code | why |
|---|---|
| 1000 | the call has come to its end |
| 1001 | the server leaves: connect again |
| 1003 | a frame was no text |
| 1007 | a text was no UTF-8 |
| 1008 | what the client asked for is refused; the reason begins with the error's name |
| 1009 | a message was too big |
| 1011 | a defect; the reason has its id |
| 1012 | the call has lasted as long as it may: connect again |
| 1013 | something that is needed is away or full: try again later |
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar

import msgspec
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from seam.bus import ResponseStream
from seam.contract import Code, InvalidField, StatusError
from seam.contract.errors import ContractError
from seam.contract.records import Record
from seam.http.handshake import is_handshake, subprotocol_of
from seam.http.messages import json_value
from seam.http.streams import ProblemOf, Streams, streams_of

CLOSING_SECONDS: Final = 5.0
"""How long a call may go on with what a client has sent before it left."""

MAXIMUM_REASON_BYTES: Final = 123
"""Source: https://www.rfc-editor.org/rfc/rfc6455#section-5.5, less the code."""

# What a client that leaves on purpose says, or leaves out.
_LEFT_ON_PURPOSE: Final = {1000, 1001, 1005}

_CLOSE_CODES: Final = {
    Code.DEADLINE_EXCEEDED: 1012,
    Code.UNAVAILABLE: 1013,
    Code.RESOURCE_EXHAUSTED: 1013,
    Code.ABORTED: 1013,
    Code.INTERNAL: 1011,
    Code.UNKNOWN: 1011,
    Code.DATA_LOSS: 1011,
}

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)

_encode: Final = msgspec.json.Encoder().encode


class _ClosedError(Exception):
    """The connection is closed with a code and a reason; a code of 0 closes nothing."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Conversation(Generic[Q, S]):
    """A call with streams both ways, over a WebSocket."""

    def __init__(
        self,
        call: Callable[[AsyncIterator[Q]], ResponseStream[S]],
        opening: Q,
        read: Callable[[object], Q],
        to_json: Callable[[S], object],
    ) -> None:
        """Prepare an answer.

        Args:
            call: makes the call of its requests.
            opening: the first of them.
            read: reads a further one from the ProtoJSON value of a frame.
            to_json: makes the ProtoJSON value of a response.
        """
        self._call = call
        self._opening = opening
        self._read = read
        self._to_json = to_json

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, problem_of: ProblemOf
    ) -> None:
        """See `Streamed`."""
        if not is_handshake(scope):
            upgrade = {"upgrade": "websocket", "connection": "upgrade"}
            raise HTTPException(status_code=426, detail="expected a WebSocket", headers=upgrade)
        streams = streams_of(scope)
        with streams.one_more():
            accept: Any = {"type": "websocket.accept", "subprotocol": subprotocol_of(scope)}
            await send(accept)
            closed = await self._hold(receive, send, streams, problem_of)
            if closed.code:
                reason = _short(closed.reason)
                close: Any = {"type": "websocket.close", "code": closed.code, "reason": reason}
                await send(close)

    async def _hold(
        self, receive: Receive, send: Send, streams: Streams, problem_of: ProblemOf
    ) -> _ClosedError:
        """Hold the conversation, and tell how it ended."""
        try:
            # Without a limit until the client leaves.
            async with asyncio.timeout(None) as rest:
                responses = self._call(self._requests(receive, rest))
                async with responses, _ending(responses, streams):
                    async for response in responses:
                        if rest.when() is None:
                            text = _encode(self._to_json(response)).decode()
                            message: Any = {"type": "websocket.send", "text": text}
                            await send(message)
            return _ClosedError(0 if rest.when() is not None else 1000)
        except _ClosedError as closed:
            return closed
        except OSError:
            # The client has left.
            return _ClosedError(0)
        except Exception as error:
            if streams.leaving.is_set():
                return _ClosedError(1001, "the process ends; connect again")
            return _closing(error, problem_of)

    async def _requests(self, receive: Receive, rest: asyncio.Timeout) -> AsyncIterator[Q]:
        yield self._opening
        while True:
            message: Any = await receive()
            if message["type"] == "websocket.disconnect":
                if message["code"] not in _LEFT_ON_PURPOSE:
                    raise _ClosedError(0)
                rest.reschedule(asyncio.get_running_loop().time() + CLOSING_SECONDS)
                return
            if message["type"] == "websocket.receive":
                yield self._request(message.get("text"))

    def _request(self, text: str | None) -> Q:
        if text is None:
            raise _ClosedError(1003, "expected records as text")
        try:
            return self._read(json_value(text))
        except InvalidField as error:
            raise _ClosedError(1008, f"INVALID_ARGUMENT: {error}") from None


@asynccontextmanager
async def _ending(responses: ResponseStream[S], streams: Streams) -> AsyncIterator[None]:
    """End a call as soon as its server leaves."""

    async def end() -> None:
        await streams.leaving.wait()
        await responses.aclose()

    task = asyncio.create_task(end())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _closing(error: Exception, problem_of: ProblemOf) -> _ClosedError:
    if isinstance(error, ContractError):
        code = _CLOSE_CODES.get(error.code, 1008)
        name = type(error).name.rpartition(".")[2]
        return _ClosedError(code, f"{name}: {error.message}")
    if isinstance(error, StatusError):
        code = _CLOSE_CODES.get(error.code, 1008)
        return _ClosedError(code, f"{error.code.name}: {error.message}")
    # What is told to nobody but the log is described there.
    described = msgspec.json.decode(problem_of(error).content, type=dict[str, Any])
    return _ClosedError(1011, f"INTERNAL: {described.get('detail', '')}")


def _short(reason: str) -> str:
    """A reason as it fits into a frame, cut between two characters."""
    encoded = reason.encode("utf-8", "backslashreplace")
    return encoded[:MAXIMUM_REASON_BYTES].decode(errors="ignore")
