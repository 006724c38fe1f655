"""What ties a request to lines of logs and to other processes: its id and its trace context.

Both may come with the request. What is not well-formed is not repeated, neither to the client nor
in a log: it is as if it had not come.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import getrandbits
from typing import Final

import msgspec

REQUEST_ID: Final = b"x-request-id"
TRACEPARENT: Final = b"traceparent"

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~:=+/@-]{1,128}")
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-[0-9a-f]([0-9a-f])"
    rb"(-.*)?"
)

_BITS: Final = 192
"""Of a trace's id, and of a span's."""


class Correlation(msgspec.Struct, frozen=True, gc=False):
    """What ties a request to what it causes.

    Attributes:
        request_id: names this request.
        traceparent: W3C trace context of what it is part of.
    """

    request_id: str
    traceparent: str


def correlation(headers: Mapping[bytes, bytes]) -> Correlation:
    """What a request says of itself, and what it does not say made up.

    A trace that comes goes on as it came: nothing here is recorded as a span of it, so the parent
    of what follows is the client's span. One that is made is not sampled.

    Source: https://www.w3.org/TR/trace-context/#processing-model-for-working-with-trace-context.

    Args:
        headers: the request's, by lower-case names.
    """
    traceparent = ""
    request_id = ""
    if (sent := headers.get(TRACEPARENT)) is not None:
        traceparent = _read_traceparent(sent)
    if (sent := headers.get(REQUEST_ID)) is not None and _REQUEST_ID.fullmatch(sent):
        request_id = sent.decode("ascii")
    if traceparent and request_id:
        return Correlation(request_id, traceparent)
    drawn = getrandbits(_BITS).to_bytes(_BITS // 8, "big").hex()
    # Neither may be zero, which so many random bits are not.
    trace = drawn[:32]
    return Correlation(request_id or trace, traceparent or f"00-{trace}-{drawn[32:]}-00")


def new_request_id() -> str:
    """The id of a request of which nothing could be read."""
    return f"{getrandbits(128):032x}"


def _read_traceparent(sent: bytes) -> str:
    found = _TRACEPARENT.fullmatch(sent)
    if found is None:
        return ""
    version, ids, flags, more = found.groups()
    if version == b"00" and more is not None:
        return ""
    # Of a later version, what this one knows is used. Its flags are one: sampled.
    return f"00-{ids.decode()}-0{int(flags, 16) & 1}"
