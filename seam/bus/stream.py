"""The caller's end of a call with streams.

A call begins when it is made and not when its first response is read, as it does over a network. A
task of its own therefore drives it: it reads responses into a small buffer, and waits while the
buffer is full, so that a slow reader stops a fast writer. Requests are read by a second task in the
caller's own context.

A caller that stops reading early ends the call: by `aclose`, by leaving an `async with`, or by
letting go of the stream, as `break` in an `async for` over a fresh stream does. It then waits until
its own requests are closed, and not for a handler that takes its time to tidy up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from seam.bus.handler_task import leave_behind
from seam.bus.pipe import Pipe
from seam.bus.streams import close
from seam.contract.errors import Code, StatusError

Q = TypeVar("Q")
S = TypeVar("S")

BUFFER: Final = 16
"""Records that wait between a writer and a reader, in each direction."""

Respond = Callable[[AsyncIterator[Any]], AsyncIterator[Any]]


class ResponseStream(Generic[S]):
    """The responses of a call, in order."""

    __slots__ = ("__weakref__", "_driving", "_feeding", "_pipe", "_timer")

    def __init__(
        self, respond: Respond, requests: AsyncIterable[Any], seconds: float, late: StatusError
    ) -> None:
        """Begin a call.

        Args:
            respond: makes the call: takes the requests and gives the responses.
            requests: the caller's requests.
            seconds: how long the call may take, reading its responses included.
            late: what the reader gets when it takes longer.

        Raises:
            RuntimeError: no event loop is running.
        """
        loop = asyncio.get_running_loop()
        self._pipe: Pipe[S] = Pipe(BUFFER)
        outgoing: Pipe[Any] = Pipe(BUFFER)
        # Neither tasks nor timer know the stream, so that letting go of the stream is noticed.
        self._feeding = loop.create_task(_feed(requests, outgoing))
        self._driving = loop.create_task(_drive(respond, outgoing, self._pipe, self._feeding))
        self._feeding.add_done_callback(partial(_fed, self._pipe, self._driving))
        self._timer = loop.call_later(
            seconds, _stop, self._pipe, self._driving, self._feeding, late
        )

    def __aiter__(self) -> ResponseStream[S]:
        """The stream itself."""
        return self

    async def __anext__(self) -> S:
        """The next response.

        Raises:
            StopAsyncIteration: there are no more.
            StatusError: the call failed.
            RuntimeError: somebody else waits for the next response.
        """
        if self._pipe.ready:
            return self._pipe.take()
        try:
            return await self._pipe.__anext__()
        except asyncio.CancelledError:
            self._end()
            raise
        except BaseException:
            self._timer.cancel()
            raise

    async def aclose(self) -> None:
        """End the call, unless it has ended, and wait until its requests are closed."""
        self._end()
        await asyncio.wait([self._feeding])

    async def __aenter__(self) -> ResponseStream[S]:
        """The stream itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call."""
        await self.aclose()

    def __del__(self) -> None:
        """End the call that nobody reads."""
        # Without these, making the stream has failed.
        if hasattr(self, "_timer") and not self._driving.get_loop().is_closed():
            self._end()

    def _end(self) -> None:
        self._timer.cancel()
        reason = StatusError(Code.CANCELLED, "the caller ended the call")
        _stop(self._pipe, self._driving, self._feeding, reason)


def _stop(
    pipe: Pipe[Any], driving: asyncio.Task[None], feeding: asyncio.Task[None], reason: StatusError
) -> None:
    """End a call before its time, once.

    A call that has ended is left to itself: cancelling it would cut short how it, or the handler,
    tidies up.
    """
    leave_behind(driving)
    ends_by_itself = pipe.ended
    pipe.abandon(reason)
    if not ends_by_itself:
        feeding.cancel()
        driving.cancel()


async def _feed(requests: AsyncIterable[Any], outgoing: Pipe[Any]) -> None:
    """Read the caller's requests."""
    try:
        async for request in requests:
            if not await outgoing.put(request):
                return
        outgoing.end()
    finally:
        await close(requests)


def _fed(responses: Pipe[Any], driving: asyncio.Task[None], feeding: asyncio.Task[None]) -> None:
    """End the call whose requests could not be read: what they raise is the caller's own."""
    if not feeding.cancelled() and (error := feeding.exception()) is not None:
        responses.end(error)
        driving.cancel()


async def _drive(
    respond: Respond, outgoing: Pipe[Any], responses: Pipe[Any], feeding: asyncio.Task[None]
) -> None:
    answers = respond(outgoing)
    try:
        async for answer in answers:
            if not (responses.offer(answer) or await responses.put(answer)):
                break
        responses.end()
    except asyncio.CancelledError:
        responses.end(StatusError(Code.CANCELLED, "the call was cancelled"))
    except BaseException as error:
        responses.end(error)
        if not isinstance(error, Exception):
            raise
    finally:
        # A handler that still waits for requests learns that none will come: gRPC does, in a task
        # of its own, after the connection is lost.
        outgoing.abandon(StatusError(Code.CANCELLED, "the call is over"))
        feeding.cancel()
        await close(answers)
