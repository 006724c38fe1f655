"""One RPC: what lies between the client's call and the server's handler.

The client writes requests and reads responses; the handler reads requests, opens the response
with its initial metadata, writes responses and answers with a status. Two kinds of end differ,
as they do in gRPC:

- the handler's **answer** comes after its messages: the client sees the status when it has read
  all of them;
- a **termination** (cancelled, out of time, too large a message, server stopped) is seen at
  once: messages that were not read are gone, and the handler's task is cancelled.

What is wrong from the beginning (no time, metadata that cannot be sent, no server) ends the RPC
one turn of the event loop later, so that who made the call can still cancel it, or add callbacks.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextvars import Context, copy_context
from time import monotonic, time
from typing import Final

import grpc

from lib.grpc_inprocess.metadata import (
    InvalidMetadataError,
    Pairs,
    received,
    request_size,
    response_size,
)
from lib.grpc_inprocess.options import Limits
from lib.grpc_inprocess.status import Status
from lib.grpc_inprocess.stream import EndedError, MessageStream, Wakeup

_LOGGER: Final = logging.getLogger(__name__)
_OUT_OF_TIME: Final = Status(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
INVALID_METADATA: Final = Status(grpc.StatusCode.INTERNAL, "Invalid metadata")
_LONGEST: Final = 2**63 / 1e9 - time()
"""Seconds of the longest timeout: a later deadline is no number of nanoseconds since 1970 in 64
bits, and gRPC takes it for long past."""


class Rpc:
    """The state that both sides of an RPC share.

    Attributes:
        method: full name of the method, `/package.Service/Method`.
        metadata: what the client sent, as the server receives it.
        deadline: when the RPC ends, on the clock of `time.monotonic`, in seconds.
        failing: whether it ends without having been answered, in the event loop's next turn.
        loop: the event loop on which both sides run.
        requests: messages from client to server.
        responses: messages from server to client; empty for a client that expects one response.
        response: that one response.
        initial_metadata: what the server sent before its first message; None until it did.
        status: how the RPC ended; None until the client may see it.
        task: the handler's task, once the server has taken the RPC.
        cancelled_by_client: whether the client ended the RPC.
    """

    __slots__ = (
        "_answer",
        "_callbacks",
        "_changed",
        "_one_response",
        "_request_limits",
        "_response_limits",
        "_timer",
        "cancelled_by_client",
        "deadline",
        "failing",
        "initial_metadata",
        "loop",
        "metadata",
        "method",
        "requests",
        "response",
        "responses",
        "status",
        "task",
    )

    def __init__(
        self,
        method: str,
        metadata: Pairs,
        timeout: float | None,
        *,
        loop: asyncio.AbstractEventLoop,
        one_response: bool,
        request_limits: Limits,
        response_limits: Limits,
    ) -> None:
        """Start an RPC and its clock.

        Args:
            method: full name of the method.
            metadata: as the server receives it.
            timeout: seconds that it may take.
            loop: the event loop on which both sides run.
            one_response: whether the client expects exactly one response.
            request_limits: what may be sent to the server.
            response_limits: what may be sent to the client.
        """
        self.method = method
        self.metadata = metadata
        self.requests = MessageStream()
        self.responses = MessageStream()
        self.response: bytes | None = None
        self.initial_metadata: Pairs | None = None
        self.status: Status | None = None
        self.task: asyncio.Task[None] | None = None
        self.cancelled_by_client = False
        self.failing = False
        self._one_response = one_response
        self._request_limits = request_limits
        self._response_limits = response_limits
        self._answer: Status | None = None
        self._callbacks: list[tuple[Context, Callable[[], object]]] = []
        self._changed = Wakeup()
        self.loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self.deadline: float | None = None
        if timeout is not None:
            self._limit(timeout)
        if len(metadata) > 1 and (
            refusal := request_limits.refused_metadata(request_size(method, metadata))
        ):
            self.fail(Status(grpc.StatusCode.RESOURCE_EXHAUSTED, refusal))

    @property
    def answered(self) -> bool:
        """Whether the handler has given its status."""
        return self._answer is not None

    @property
    def over(self) -> bool:
        """Whether the handler has nobody left to write to."""
        return self._answer is not None or self.status is not None

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, at least 0; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())

    def fail(self, status: Status) -> None:
        """End the RPC in the event loop's next turn, without an answer of a handler."""
        self.failing = True
        self.loop.call_soon(self.terminate, status)

    def begin(self, task: asyncio.Task[None]) -> None:
        """Let the handler's task answer the RPC."""
        self.task = task
        self._changed.wake()

    async def wait_until_begun(self) -> None:
        """Wait until a server has taken the RPC, or it is over."""
        while self.task is None and self.status is None:
            await self._changed.wait()

    def send_only_request(self, message: bytes) -> None:
        """Write the one request of a client that does not stream."""
        if refusal := self._request_limits.refused_by_sender(message):
            self.fail(Status(grpc.StatusCode.RESOURCE_EXHAUSTED, refusal))
        else:
            self.requests.put_first(message)
            self.requests.close()

    async def send_request(self, message: bytes) -> None:
        """Write a request.

        Raises:
            EndedError: the RPC is over.
        """
        if self._too_large(self._request_limits.refused_by_sender(message)):
            raise EndedError
        await self.requests.put(message)

    async def receive_request(self) -> bytes | None:
        """Read a request; None when there are no more, or the RPC is over."""
        message = await self.requests.get()
        if message is None or self._too_large(self._request_limits.refused_by_receiver(message)):
            return None
        return message

    def open_response(self, metadata: Pairs) -> None:
        """Let the client see the server's initial metadata.

        Raises:
            TypeError: a name or a value has the wrong type.
            InvalidMetadataError: it cannot be sent; the RPC is over.
            UnicodeEncodeError: it has a lone surrogate.
        """
        try:
            arriving = received(metadata)
        except InvalidMetadataError:
            self.terminate(INVALID_METADATA)
            raise
        if arriving and self._too_large(
            self._response_limits.refused_metadata(response_size(arriving))
        ):
            return
        self.initial_metadata = arriving
        self._changed.wake()

    async def send_response(self, message: bytes) -> None:
        """Write a response.

        Raises:
            EndedError: the RPC is over.
        """
        if self.over or self._too_large(self._response_limits.refused_by_sender(message)):
            raise EndedError
        if self.initial_metadata is None:
            self.open_response(())
        if not self._one_response:
            await self.responses.put(message)
        elif self._too_large(self._response_limits.refused_by_receiver(message)):
            raise EndedError
        else:
            self.response = message

    async def receive_response(self) -> bytes | None:
        """Read a response; None when there are no more, and then there is a status."""
        message = await self.responses.get()
        # Looked at here and not where it was sent: what was sent before it must be read first.
        if message is not None and self._too_large(
            self._response_limits.refused_by_receiver(message)
        ):
            return None
        if self._answer is not None and self.responses.ended:
            self._conclude(self._answer)
        return message

    def answer(self, status: Status) -> None:
        """End the RPC with the handler's status. It has no effect once the RPC is over.

        Raises:
            TypeError: trailing metadata has a value of the wrong type.
            UnicodeEncodeError: the text or metadata has a lone surrogate.
        """
        if self.over:
            return
        try:
            trailing = received(status.trailing_metadata)
        except InvalidMetadataError:
            self.terminate(INVALID_METADATA)
            return
        # The protocol has no text for success.
        details = "" if status.code is grpc.StatusCode.OK else status.details
        answer = Status(status.code, details, trailing)
        if (trailing or details) and (
            refusal := self._response_limits.refused_metadata(response_size(trailing, details))
        ):
            answer = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, refusal)
        if self.initial_metadata is None:
            self.open_response(())
        self._answer = answer
        self.requests.discard()
        self.responses.close()
        if self.responses.ended:
            self._conclude(self._answer)

    def terminate(self, status: Status) -> bool:
        """End the RPC from outside of the handler.

        Returns:
            Whether this ended it: False when the client has seen another end.
        """
        if self.status is not None:
            return False
        if self.task is not None and self._answer is None:
            self.task.cancel()
        self.requests.discard()
        self.responses.discard()
        self._conclude(status)
        return True

    def cancel(self, details: str) -> bool:
        """End the RPC on the client's wish, see `terminate`."""
        if self.status is not None:
            return False
        self.cancelled_by_client = True
        return self.terminate(Status(grpc.StatusCode.CANCELLED, details))

    def ending(self) -> Status | None:
        """How the RPC ended, or will end for the client once it has read everything."""
        return self.status or self._answer

    async def wait_for_initial_metadata(self) -> Pairs:
        """Wait until the server has opened its response, or the RPC is over."""
        while self.initial_metadata is None:
            await self._changed.wait()
        return self.initial_metadata

    async def wait_for_status(self) -> Status:
        """Wait until the client may see how the RPC ended."""
        while self.status is None:
            await self._changed.wait()
        return self.status

    def add_done_callback(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the client may see the status: at once when it may already.

        It runs in the context variables of the code that added it, not in the handler's.
        """
        if self.status is not None:
            callback()
        else:
            self._callbacks.append((copy_context(), callback))

    def _limit(self, timeout: float) -> None:
        now = monotonic()
        self.deadline = now + timeout
        if -_LONGEST < timeout < _LONGEST:
            # In whole milliseconds, rounded up, as in gRPC: a call without any time has a little.
            seconds = math.ceil(self.deadline * 1000) / 1000 - now
            if seconds > 0:
                self._timer = self.loop.call_later(seconds, self.terminate, _OUT_OF_TIME)
                return
        self.fail(_OUT_OF_TIME)

    def _too_large(self, refusal: str) -> bool:
        if refusal:
            self.terminate(Status(grpc.StatusCode.RESOURCE_EXHAUSTED, refusal))
        return bool(refusal)

    def _conclude(self, status: Status) -> None:
        if self.status is not None:
            return
        self.status = status
        if self.initial_metadata is None:
            self.initial_metadata = ()
        if self._timer is not None:
            self._timer.cancel()
        self._changed.wake()
        callbacks, self._callbacks = self._callbacks, []
        try:
            for context, callback in callbacks:
                context.run(callback)
        except Exception:
            # As in gRPC, those that follow are not called.
            _LOGGER.exception("a done callback of %s failed", self.method)
