"""What requests become on their way, and answers when they arrive; nothing here waits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from contract_client.errors import ApiError, Code, error_of
from contract_client.events import Event, EventReader
from contract_client.methods import Method, Request, answer_of
from contract_client.records import Record
from contract_client.retries import Retries
from contract_client.tokens import Session

__all__ = [
    "SILENCE",
    "Answer",
    "as_api_errors",
    "headers_of",
    "pause_of_stream",
    "record_of_event",
    "stream_timeout",
]

R = TypeVar("R", bound=Record)

SILENCE: Final = 45.0
"""Seconds of silence after which a stream is taken for lost; servers break theirs every 15."""

_CONNECTING: Final = 10.0
"""Seconds for a stream to begin."""


@dataclass(frozen=True)
class Answer:
    """An answer that has arrived as a whole.

    Attributes:
        status: the HTTP status.
        headers: the headers.
        body: what it holds, decompressed.
    """

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def refuses_token(self) -> bool:
        """Whether the access token was refused, and nothing else."""
        return self.status == 401 and "invalid_token" in self.headers.get("www-authenticate", "")

    def record(self, method: Method[R]) -> R:
        """What the method answers with.

        Raises:
            ApiError: the call has failed.
        """
        if 200 <= self.status < 300:
            return answer_of(method, self.body)
        raise error_of(self.status, self.body, method.errors, self.headers.get("retry-after"))


def headers_of(request: Request, session: Session | None, last_id: str = "") -> dict[str, str]:
    """The headers of a request, in the name of who is signed in.

    Args:
        request: the request.
        session: the session; None when nobody is signed in.
        last_id: the position after which a stream goes on.
    """
    headers = dict(request.headers)
    if session is not None:
        headers["authorization"] = f"Bearer {session.access_token}"
    if last_id:
        headers["last-event-id"] = last_id
    return headers


def stream_timeout() -> httpx.Timeout:
    """How long a stream may be silent."""
    return httpx.Timeout(_CONNECTING, read=SILENCE)


@contextmanager
def as_api_errors() -> Iterator[None]:
    """Raise errors of the network as ApiError."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ApiError(Code.UNAVAILABLE, f"no connection: {error}", unsent=True) from error
    except httpx.TimeoutException as error:
        detail = "the server has not answered in time"
        raise ApiError(Code.DEADLINE_EXCEEDED, detail) from error
    except httpx.TransportError as error:
        raise ApiError(Code.UNAVAILABLE, f"the connection is lost: {error}") from error


def record_of_event(method: Method[R], event: Event) -> R:
    """What an event holds.

    Raises:
        ApiError: it tells of an error, which ends the stream.
    """
    if event.name == "error":
        raise error_of(500, event.data.encode(), method.errors)
    return answer_of(method, event.data.encode())


def pause_of_stream(
    method: Method[Any],
    reader: EventReader,
    failure: ApiError | None,
    lost: int,
    retries: Retries,
) -> float:
    """Seconds to wait before a stream is asked for again.

    Args:
        method: what is called.
        reader: what has read the stream.
        failure: why it ended; None when it ended without a word.
        lost: how often it was asked for in vain, one after the other.
        retries: how often it may be.

    Raises:
        ApiError: it does not go on.
    """
    broken = failure or ApiError(Code.UNAVAILABLE, "the stream has broken off")
    is_passing = broken.code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)
    may_go_on = method.resumes and not broken.is_final
    if not is_passing or not may_go_on or lost >= retries.attempts:
        raise broken
    return max(broken.retry_after or 0.0, reader.retry * random.uniform(0.5, 1.0))  # noqa: S311
