"""Conversations over a WebSocket, for those who wait. They need the library websockets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import httpx

from contract_client.answers import Answer
from contract_client.errors import ApiError, Code
from contract_client.frames import (
    SEND_TIMEOUT,
    answer_of_refusal,
    error_of_close,
    frame_of,
    handshake,
    response_of,
)
from contract_client.methods import Method
from contract_client.records import Record

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from contract_client.tokens import Session

__all__ = ["Conversation", "as_api_errors_of_a_conversation", "begin"]

Q = TypeVar("Q", bound=Record)
R = TypeVar("R", bound=Record)


class Conversation(Generic[Q, R]):
    """What is said and heard; iterating it gives what is heard, until the call has ended.

    Leaving its `with` block ends it, and what was said before is still handled. One thread may hear
    while another speaks.
    """

    def __init__(
        self, method: Method[R], connection: ClientConnection, close: Callable[[], None]
    ) -> None:
        self._method = method
        self._connection = connection
        self._close = close

    def send(self, record: Q) -> None:
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
            self._connection.send(text)

    def receive(self, timeout: float | None = None) -> R:
        """Hear the next response.

        Args:
            timeout: seconds to wait for it; None for as long as it takes.

        Raises:
            ApiError: the conversation has failed.
            EOFError: it has come to its end.
            TimeoutError: nothing was heard in time; it goes on.
        """
        with as_api_errors_of_a_conversation():
            frame = self._connection.recv(timeout)
        return response_of(self._method, frame)

    def __iter__(self) -> Iterator[R]:
        while True:
            try:
                response = self.receive()
            except EOFError:
                return
            yield response

    def close(self) -> None:
        """End it. What was said before is still handled."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


@contextmanager
def as_api_errors_of_a_conversation() -> Iterator[None]:
    """Raise what ends a conversation as ApiError, or as EOFError when it has come to its end."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake  # noqa: PLC0415

    try:
        yield
    except ConnectionClosed as closed:
        error = error_of_close(closed)
        if error is None:
            raise EOFError("the conversation has come to its end") from None
        raise error from None
    except InvalidHandshake as error:
        raise ApiError(Code.UNAVAILABLE, f"no WebSocket: {error}") from error


def begin(
    method: Method[R], record: Record, url: httpx.URL, session: Session | None
) -> Conversation[Any, R] | Answer:
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
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415
    from websockets.sync.client import connect  # noqa: PLC0415

    arguments = handshake(method, record, url, session)
    try:
        with as_api_errors_of_a_conversation(), ExitStack() as stack:
            connection = stack.enter_context(connect(**arguments))
            # A thread that writes to who reads nothing would also keep others from closing.
            limit = struct.pack("@ll", int(SEND_TIMEOUT), 0)
            with suppress(OSError):  # It was closed already.
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            return Conversation(method, connection, stack.pop_all().close)
    except ApiError as error:
        if isinstance(error.__cause__, InvalidStatus):
            return answer_of_refusal(error.__cause__)
        raise
    except OSError as error:
        raise ApiError(Code.UNAVAILABLE, f"no connection: {error}", unsent=True) from error
