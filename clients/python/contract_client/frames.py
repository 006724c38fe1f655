"""What goes over a WebSocket and comes back; nothing here waits. Source: `docs/streams.md`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx
import msgspec

from contract_client.answers import Answer, headers_of
from contract_client.errors import ApiError, Code
from contract_client.methods import Method, answer_of, request_of, unbound_by_path
from contract_client.records import Record

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    from contract_client.tokens import Session

__all__ = [
    "SEND_TIMEOUT",
    "answer_of_refusal",
    "error_of_close",
    "frame_of",
    "handshake",
    "response_of",
]

R = TypeVar("R", bound=Record)

OPEN_TIMEOUT: Final = 10.0
"""Seconds for a WebSocket to open."""

SEND_TIMEOUT: Final = 10.0
"""Seconds in which the server has to take what is said."""

MAXIMUM_BYTES: Final = 2**22
"""The largest response."""

_FRAME_BYTES: Final = 65_536
"""What a server takes as one frame."""

_DONE: Final = 1000
_REFUSED: Final = 1008
_DEFECT: Final = 1011
_COME_BACK: Final = (1001, 1006, 1012, 1013)
_REASON: Final = re.compile(r"(\w+): (.*)", re.DOTALL)


def handshake(
    method: Method[Any], record: Record, url: httpx.URL, session: Session | None
) -> dict[str, Any]:
    """What a WebSocket is opened with.

    Args:
        method: what is called.
        record: its first request, which path and query hold.
        url: where the server is.
        session: who calls; None for nobody.

    Raises:
        ValueError: the request cannot be sent.
    """
    request = request_of(method, record)
    headers = headers_of(request, session)
    headers.pop("accept", None)
    at = str(url).rstrip("/")
    return {
        "uri": f"ws{at.removeprefix('http')}{request.target}",
        "additional_headers": headers,
        "open_timeout": OPEN_TIMEOUT,
        "max_size": MAXIMUM_BYTES,
        # The server speaks none.
        "compression": None,
    }


def frame_of(method: Method[Any], record: Record) -> str:
    """A further request.

    Raises:
        ValueError: it cannot be sent.
    """
    frame = msgspec.json.encode(unbound_by_path(method, record))
    if len(frame) > _FRAME_BYTES:
        raise ValueError(f"expected at most {_FRAME_BYTES} bytes at once, got {len(frame)}")
    return frame.decode()


def response_of(method: Method[R], frame: str | bytes) -> R:
    """What a frame holds.

    Raises:
        ApiError: it is none of the method's responses; the code is INTERNAL.
    """
    return answer_of(method, frame.encode() if isinstance(frame, str) else frame)


def answer_of_refusal(refusal: InvalidStatus) -> Answer:
    """The answer by which a WebSocket was refused."""
    response = refusal.response
    return Answer(
        response.status_code,
        httpx.Headers([*response.headers.raw_items()]),
        bytes(response.body or b""),
    )


def error_of_close(closed: ConnectionClosed) -> ApiError | None:
    """Why a WebSocket was closed; None when the call has come to its end."""
    code, reason = (1006, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)
    if code == _DONE:
        return None
    if code in _COME_BACK:
        return ApiError(Code.UNAVAILABLE, reason or "the conversation broke off")
    found = _REASON.fullmatch(reason)
    name, sentence = (found[1], found[2]) if found else ("", reason)
    detail = sentence or f"the WebSocket was closed with {code}"
    if code == _REFUSED and name in Code.__members__:
        return ApiError(Code[name], detail)
    if code == _REFUSED:
        # One that the contract declares; a reason has no room for its code and its fields.
        return ApiError(Code.UNKNOWN, detail, name=name)
    return ApiError(Code.INTERNAL if code == _DEFECT else Code.UNKNOWN, detail)
