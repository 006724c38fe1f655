"""Conversations over a WebSocket under asyncio. They need the library websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import httpx

from contract_client.answers import Answer
from contract_client.conversation import as_api_errors_of_a_conversation
from contract_client.errors import ApiError, Code
from contract_client.frames import (
    SEND_TIMEOUT,
    answer_of_refusal,
    frame_of,
    handshake,
    response_of,
)
from contract_client.methods import Method
from contract_client.records import Record

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from contract_client.tokens import Session

__all__ = ["AsyncConversation", "begin"]

Q = TypeVar("Q", bound=Record)
R = TypeVar("R", bound=Record)


class AsyncConversation(Generic[Q, R]):
    """What is said and heard; iterating it gives what is heard, until the call has ended.

    Leaving its `async with` block ends it, and what was said before is still handled. One task may
    hear while another speaks.
    """

    def __init__(
        self,
        method: Method[R],
        connection: ClientConnection,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._method = method
        self._connection = connection
        self._close = close

    async def send(self, record: Q) -> None:
        """Say something; it waits while the server takes nothing, for ten seconds.

        Args:
            record: a further request. What its path holds is left out.

        Raises:
            ApiError: the conversation has failed.
            EOFError: it has come to its end.
            ValueError: the record cannot be sent.
        """
        text = frame_of(self._method, record)
        with as_api_errors_of_a_conversation():
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._connection.send(text)
            except TimeoutError:
                self._connection.transport.abort()
                reason = "the server has not taken what was said"
                raise ApiError(Code.UNAVAILABLE, reason) from None

    async def receive(self, timeout: float | None = None) -> R:  # noqa: ASYNC109 (as the other)
        """Hear the next response.

        Args:
            timeout: seconds to wait for it; None for as long as it takes.

        Raises:
            ApiError: the conversation has failed.
            EOFError: it has come to its end.
            TimeoutError: nothing was heard in time; it goes on.
        """
        with as_api_errors_of_a_conversation():
            async with asyncio.timeout(timeout):
                frame = await self._connection.recv()
        return response_of(self._method, frame)

    async def __aiter__(self) -> AsyncIterator[R]:
        while True:
            try:
                response = await self.receive()
            except EOFError:
                return
            yield response

    async def close(self) -> None:
        """End it. What was said before is still handled."""
        await self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()


async def begin(
    method: Method[R], record: Record, url: httpx.URL, session: Session | None
) -> AsyncConversation[Any, R] | Answer:
    """Begin a conversation; gives the answer by which it is refused.

    Args:
        method: what is called.
        record: its first request.
        url: where the server is.
        session: who calls; None for nobody.

    Raises:
        ApiError: the server is away.
        ValueError: the request cannot be sent.
    """
    from websockets.asyncio.client import connect  # noqa: PLC0415
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415

    arguments = handshake(method, record, url, session)
    try:
        with as_api_errors_of_a_conversation():
            async with AsyncExitStack() as stack:
                connection = await stack.enter_async_context(connect(**arguments))
                return AsyncConversation(method, connection, stack.pop_all().aclose)
    except ApiError as error:
        if isinstance(error.__cause__, InvalidStatus):
            return answer_of_refusal(error.__cause__)
        raise
    except OSError as error:
        raise ApiError(Code.UNAVAILABLE, f"no connection: {error}", unsent=True) from error
