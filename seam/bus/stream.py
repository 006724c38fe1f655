"""The caller's end of a call with streams.

A call begins when it is made and not when its first response is read, as it does over a network. A
task of its own therefore drives it: it reads responses into a small buffer, and waits while the
buffer is full, so that a slow reader stops a fast writer. Requests, where there are many, are read
by a second task in the caller's own context.

A caller that stops reading early ends the call: by `aclose`, by leaving an `async with`, or by
letting go of the stream, as `break` in an `async for` over a fresh stream does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from seam.bus.pipe import Pipe
from seam.contract.errors import Code, StatusError

Q = TypeVar("Q")
S = TypeVar("S")

BUFFER: Final = 16
"""Records that wait between a writer and a reader, in each direction."""

Respond = Callable[[AsyncIterator[Any]], AsyncIterator[Any]]


class ResponseStream(Generic[S]):
    """The responses of a call, in order."""

    __slots__ = ("__weakref__", "_pipe", "_task", "_timer")

    def __init__(
        self, respond: Respond, requests: AsyncIterable[Any], seconds: float, late: StatusError
    ) -> None:
        """Begin a call.

        Args:
            respond: makes the call: takes the requests and gives the responses.
            requests: the caller's requests.
            seconds: how long the call may take, reading its responses included.
            late: what the reader gets when it takes longer.
        """
        self._pipe: Pipe[S] = Pipe(BUFFER)
        # Neither task nor timer knows the stream, so that letting go of the stream is noticed.
        self._task = asyncio.create_task(_drive(respond, requests, self._pipe))
        self._timer = asyncio.get_running_loop().call_later(
            seconds, _stop, self._pipe, self._task, late
        )

    def __aiter__(self) -> ResponseStream[S]:
        """The stream itself."""
        return self

    async def __anext__(self) -> S:
        """The next response.

        Raises:
            StopAsyncIteration: there are no more.
            StatusError: the call failed.
        """
        try:
            return await self._pipe.__anext__()
        except asyncio.CancelledError:
            self._end()
            raise
        except BaseException:
            self._timer.cancel()
            raise

    async def aclose(self) -> None:
        """End the call, unless it has ended, and wait until all that it started is over."""
        self._end()
        await asyncio.wait([self._task])

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
        if not self._task.get_loop().is_closed():
            self._end()

    def _end(self) -> None:
        self._timer.cancel()
        _stop(self._pipe, self._task, StatusError(Code.CANCELLED, "the caller ended the call"))


def _stop(pipe: Pipe[Any], task: asyncio.Task[None], reason: StatusError) -> None:
    """End a call before its time, once.

    A call that has ended is left to itself: cancelling it would cut short how it, or the handler,
    tidies up.
    """
    ends_by_itself = pipe.ended
    pipe.abandon(reason)
    if not ends_by_itself:
        task.cancel()


async def _drive(respond: Respond, requests: AsyncIterable[Any], responses: Pipe[Any]) -> None:
    outgoing: Pipe[Any] = Pipe(BUFFER)
    driving = asyncio.current_task()
    assert driving is not None

    async def feed() -> None:
        try:
            async for request in requests:
                if not await outgoing.put(request):
                    return
            outgoing.end()
        except Exception as error:
            # What the caller's own iterator raises is the caller's, and ends the call.
            responses.end(error)
            driving.cancel()

    feeding = asyncio.create_task(feed())
    answers = respond(outgoing)
    try:
        async for answer in answers:
            if not await responses.put(answer):
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
        try:
            await _close(answers)
        finally:
            await asyncio.wait([feeding])
            await _close(requests)


async def _close(iterator: object) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
