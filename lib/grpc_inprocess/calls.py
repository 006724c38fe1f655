"""The client's side of an RPC: what calling a stub's method returns.

The four kinds are put together from three parts: what all calls know of their end, how one or
many responses are read, and how a stream of requests is written. Each behaves as the call of
the same name in `grpc.aio`, whose documentation holds here.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from functools import partial
from typing import Any, Final, TypeVar

import grpc

from lib.grpc_inprocess.rpc import Rpc
from lib.grpc_inprocess.serialization import (
    Deserializer,
    Serializer,
    parsed_by_client,
    serialized_by_client,
)
from lib.grpc_inprocess.status import Status
from lib.grpc_inprocess.stream import EndedError

_LOGGER: Final = logging.getLogger(__name__)
_CANCELLED: Final = "Locally cancelled by application!"
_FINISHED: Final = "RPC already finished."
_HALF_CLOSED: Final = 'RPC is half closed after calling "done_writing".'
_MIXED: Final = "The iterator and read/write APIs may not be mixed on a single RPC."

Q = TypeVar("Q")
S = TypeVar("S")
RequestIterable = AsyncIterable[Q] | Iterable[Q]


class _Style(enum.Enum):
    ITERATOR = 1
    READ_WRITE = 2


class _Call(grpc.aio.Call):
    """What all calls have in common."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def __repr__(self) -> str:
        status = self._rpc.status
        if status is None:
            return f"<{type(self).__name__} of {self._rpc.method}, under way>"
        return (
            f"<{type(self).__name__} of {self._rpc.method} that terminated with:\n"
            f'\tstatus = {status.code}\n\tdetails = "{status.details}"\n>'
        )

    def cancelled(self) -> bool:
        """Whether the RPC ended with CANCELLED, on either side's wish."""
        status = self._rpc.status
        return status is not None and status.code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether the RPC has ended."""
        return self._rpc.status is not None

    def cancel(self) -> bool:
        """End the RPC; False when it has ended before."""
        return self._rpc.cancel(_CANCELLED)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` with this call when the RPC has ended."""
        self._rpc.add_done_callback(partial(callback, self))

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, at least 0; None without a deadline."""
        return self._rpc.time_remaining()

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the server sent before its first message; waits for it."""
        return grpc.aio.Metadata(*await self._rpc.wait_for_initial_metadata())

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What the server sent with its status; waits for it."""
        return grpc.aio.Metadata(*(await self._rpc.wait_for_status()).trailing_metadata)

    async def code(self) -> grpc.StatusCode:
        """The status code; waits for it."""
        return (await self._rpc.wait_for_status()).code

    async def details(self) -> str:
        """The status text; waits for it."""
        return (await self._rpc.wait_for_status()).details

    async def debug_error_string(self) -> str | None:
        """The status in one line; waits for it. None when the call was cancelled here."""
        status = await self._rpc.wait_for_status()
        return None if self._rpc.cancelled_by_client else status.debug_error_string

    async def wait_for_connection(self) -> None:
        """Wait until a server has taken the RPC."""
        await self._rpc.wait_until_begun()
        self._raise_for_status()

    def _raise_for_status(self) -> None:
        if self._rpc.cancelled_by_client:
            raise asyncio.CancelledError
        status = self._rpc.status
        if status is not None and status.code is not grpc.StatusCode.OK:
            raise self._error(status)

    def _error(self, status: Status) -> grpc.aio.AioRpcError:
        return grpc.aio.AioRpcError(
            status.code,
            grpc.aio.Metadata(*(self._rpc.initial_metadata or ())),
            grpc.aio.Metadata(*status.trailing_metadata),
            details=status.details,
            debug_error_string=status.debug_error_string,
        )


class _UnaryResponse(_Call):
    """Awaiting the one response."""

    def __init__(self, rpc: Rpc, deserializer: Deserializer) -> None:
        super().__init__(rpc)
        self._deserializer = deserializer
        self._parsed: tuple[Any] | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        if self._rpc.status is None:
            yield from self._ended().__await__()
        self._raise_for_status()
        if self._parsed is None:
            # Parsed where it is awaited, so in the caller's context; and once, for all who do.
            self._parsed = (parsed_by_client(self._deserializer, self._rpc.response),)
        return self._parsed[0]

    async def _ended(self) -> None:
        try:
            await self._rpc.wait_for_status()
        except asyncio.CancelledError:
            self.cancel()
            raise


class _StreamResponse(_Call):
    """Reading responses."""

    def __init__(self, rpc: Rpc, deserializer: Deserializer) -> None:
        super().__init__(rpc)
        self._deserializer = deserializer
        self._response_style: _Style | None = None
        self._responses: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        self._read_in(_Style.ITERATOR)
        if self._responses is None:
            self._responses = self._iterate()
        return self._responses

    async def read(self) -> Any:  # noqa: ANN401
        """The next response, or `grpc.aio.EOF`.

        Raises:
            AioRpcError: the RPC has failed.
            UsageError: responses are iterated over.
        """
        if self.done():
            self._raise_for_status()
            return grpc.aio.EOF
        self._read_in(_Style.READ_WRITE)
        message = await self._receive()
        if message is None:
            self._raise_for_status()
            return grpc.aio.EOF
        return parsed_by_client(self._deserializer, message)

    async def _iterate(self) -> AsyncIterator[Any]:
        while (message := await self._receive()) is not None:
            yield parsed_by_client(self._deserializer, message)
        self._raise_for_status()

    async def _receive(self) -> bytes | None:
        try:
            return await self._rpc.receive_response()
        except asyncio.CancelledError:
            self.cancel()
            raise

    def _read_in(self, style: _Style) -> None:
        if self._response_style is None:
            self._response_style = style
        elif self._response_style is not style:
            raise grpc.aio.UsageError(_MIXED)


class _StreamRequest(_Call):
    """Writing requests, or taking them from an iterator."""

    def _write_with(self, serializer: Serializer, requests: RequestIterable[Any] | None) -> None:
        self._serializer = serializer
        # Interceptors' calls look at this name.
        self._done_writing_flag = False
        self._pump: asyncio.Task[None] | None = None
        if requests is not None:
            self._pump = asyncio.get_running_loop().create_task(self._send_all(requests))

    def cancel(self) -> bool:
        """End the RPC, and stop taking requests; False when it has ended before."""
        ended = super().cancel()
        if ended and self._pump is not None:
            self._pump.cancel()
        return ended

    async def write(self, request: Any) -> None:  # noqa: ANN401
        """Send a request; waits while the server has too much to read already.

        Raises:
            InvalidStateError: the RPC has ended, or `done_writing` was called.
            AioRpcError: the RPC has failed while the request waited.
            UsageError: the call was made with an iterator.
        """
        self._refuse_mixing()
        await self._send(request)

    async def done_writing(self) -> None:
        """Tell the server that there are no more requests.

        Raises:
            UsageError: the call was made with an iterator.
        """
        self._refuse_mixing()
        self._half_close()

    async def _send_all(self, requests: RequestIterable[Any]) -> None:
        try:
            if isinstance(requests, AsyncIterable):
                async for request in requests:
                    await self._send(request)
            else:
                for request in requests:
                    await self._send(request)
            self._half_close()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            _LOGGER.debug("%s ended before all requests were sent", self._rpc.method)
        except (Exception, asyncio.CancelledError):
            # Whatever an iterator raises ends its call, as in gRPC; its reader hears of it.
            _LOGGER.debug("the request iterator of %s failed", self._rpc.method, exc_info=True)
            self.cancel()

    async def _send(self, request: object) -> None:
        if self.done():
            if self._rpc.failing:
                self._raise_for_status()
            raise asyncio.InvalidStateError(_FINISHED)
        if self._done_writing_flag:
            raise asyncio.InvalidStateError(_HALF_CLOSED)
        try:
            if self._rpc.task is None:
                await self._rpc.wait_until_begun()
                self._raise_for_status()
            await self._rpc.send_request(serialized_by_client(self._serializer, request))
        except EndedError:
            self._raise_for_status()
            ending = self._rpc.ending()
            if ending is not None and ending.code is not grpc.StatusCode.OK:
                raise self._error(ending) from None
            raise asyncio.InvalidStateError(_FINISHED) from None
        except asyncio.CancelledError:
            self.cancel()
            raise

    def _half_close(self) -> None:
        self._done_writing_flag = True
        self._rpc.requests.close()

    def _refuse_mixing(self) -> None:
        if self._pump is not None:
            raise grpc.aio.UsageError(_MIXED)


class UnaryUnaryCall(_UnaryResponse, grpc.aio.UnaryUnaryCall[Q, S]):
    """One request, one response."""

    async def wait_for_connection(self) -> None:
        """Wait for the end of the RPC, as `grpc.aio` does."""
        await self._ended()
        self._raise_for_status()


class UnaryStreamCall(_StreamResponse, grpc.aio.UnaryStreamCall[Q, S]):
    """One request, many responses."""

    async def wait_for_connection(self) -> None:
        """Wait until the server has opened its response."""
        await self._rpc.wait_for_initial_metadata()
        self._raise_for_status()


class StreamUnaryCall(_StreamRequest, _UnaryResponse, grpc.aio.StreamUnaryCall[Q, S]):
    """Many requests, one response."""

    def __init__(
        self,
        rpc: Rpc,
        serializer: Serializer,
        deserializer: Deserializer,
        requests: RequestIterable[Q] | None,
    ) -> None:
        """Begin to send `requests`, or let them be written."""
        super().__init__(rpc, deserializer)
        self._write_with(serializer, requests)


class StreamStreamCall(_StreamRequest, _StreamResponse, grpc.aio.StreamStreamCall[Q, S]):
    """Many requests, many responses."""

    def __init__(
        self,
        rpc: Rpc,
        serializer: Serializer,
        deserializer: Deserializer,
        requests: RequestIterable[Q] | None,
    ) -> None:
        """Begin to send `requests`, or let them be written."""
        super().__init__(rpc, deserializer)
        self._write_with(serializer, requests)
