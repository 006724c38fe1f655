"""What is known of a request from its headers, before anything is done for it.

Its id and its trace context tie it to lines of logs and to other processes. Both may come with it.
What is not well-formed is not repeated, neither to the client nor in a log: it is as if it had not
come.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from random import getrandbits
from typing import Final

import msgspec
from litestar.types import Scope

from seam.call.context import check_tracestate
from seam.contract.errors import InvalidField

EXCHANGE: Final = "seam.exchange"
"""Where the scope of a request has its `Exchange`."""

REQUEST_ID: Final = b"x-request-id"
TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~:=+/@-]{1,128}")
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-[0-9a-f]([0-9a-f])"
    rb"(-.*)?"
)

_BITS: Final = 192
"""Of a trace's id, and of a span's."""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """A request, and the answer to it.

    Attributes:
        headers: the request's, by lower-case names; of several with one name, the last.
        request_id: names this request.
        traceparent: W3C trace context of what it is part of.
        tracestate: what those who record the trace say of it; "" when nobody does.
    """

    headers: Mapping[bytes, bytes]
    request_id: str
    traceparent: str
    tracestate: str = ""


def request_id_of(scope: Scope) -> str:
    """The id of a request; "unknown" if it did not come through the front door."""
    exchange: Exchange | None = scope.get(EXCHANGE)  # type: ignore[assignment]
    return "unknown" if exchange is None else exchange.request_id


def exchange_of(all_headers: Collection[tuple[bytes, bytes]]) -> Exchange:
    """What a request says of itself, and what it does not say made up.

    A trace that comes goes on as it came: nothing here is recorded as a span of it, so the parent
    of what follows is the client's span. One that is made is not sampled.

    Source: https://www.w3.org/TR/trace-context/#processing-model-for-working-with-trace-context.

    Args:
        all_headers: the request's, with lower-case names.
    """
    headers = dict(all_headers)
    traceparent = ""
    tracestate = ""
    request_id = ""
    if (sent := headers.get(TRACEPARENT)) is not None:
        traceparent = _read_traceparent(sent)
        if traceparent and TRACESTATE in headers:
            tracestate = _read_tracestate(all_headers)
    if (sent := headers.get(REQUEST_ID)) is not None and _REQUEST_ID.fullmatch(sent):
        request_id = sent.decode("ascii")
    if traceparent and request_id:
        return Exchange(headers, request_id, traceparent, tracestate)
    drawn = getrandbits(_BITS).to_bytes(_BITS // 8, "big").hex()
    # Neither may be zero, which so many random bits are not.
    trace = drawn[:32]
    return Exchange(
        headers, request_id or trace, traceparent or f"00-{trace}-{drawn[32:]}-00", tracestate
    )


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


def _read_tracestate(headers: Iterable[tuple[bytes, bytes]]) -> str:
    sent = b",".join(value for name, value in headers if name == TRACESTATE).decode("latin-1")
    try:
        check_tracestate(sent)
    except InvalidField:
        return ""
    return sent
