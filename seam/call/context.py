"""What travels with a call, and nothing else.

A callee must not be able to tell whether its caller sits in the same process. It therefore
sees only what would cross a network: the deadline, the trace, who is asking, which service calls,
declared baggage and the call's metadata. The caller's other context variables stay with the
caller, because every handler runs in a fresh `contextvars.Context` (`seam.bus.stepped_task`), and
what the handler sets there is gone when it returns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from seam.call.metadata import (
    EMPTY,
    KEY,
    MAXIMUM_TRAILING_BYTES,
    MetadataValue,
    check_all_metadata,
)
from seam.call.principal import ANONYMOUS, Principal, check_principal
from seam.contract.errors import InvalidField

__all__ = [
    "Baggage",
    "CallContext",
    "call_scope",
    "current_call",
    "current_principal",
    "remaining",
]

MAXIMUM_BAGGAGE_BYTES: Final = 2 * 2**10
"""All baggage of a call, as it travels."""

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

MAXIMUM_TRACESTATE_BYTES: Final = 512
"""What the W3C asks everybody to pass on, at the least."""

_MAXIMUM_TRACESTATE_MEMBERS: Final = 32
_TRACESTATE_MEMBER: Final = re.compile(
    r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


class CallContext(msgspec.Struct, frozen=True, eq=False):
    """What a handler knows of the call that it answers.

    Attributes:
        deadline: when the call ends, on the clock of `time.monotonic`, in seconds.
        traceparent: W3C trace context of the call; "" when it is not traced.
        principal: who is asking; `ANONYMOUS` when nobody is signed in.
        baggage: declared baggage by name, see `Baggage`.
        metadata: what the caller said beside the record.
        caller: name of the service that makes the call; "" when it comes from outside.
        tracestate: what those who record the trace say of it, as W3C's `tracestate`; "" when
            nobody does.
        trailing_metadata: what the callee says beside its answer; see `set_trailing_metadata`.
    """

    deadline: float
    traceparent: str = ""
    principal: Principal = ANONYMOUS
    baggage: Mapping[str, str] = EMPTY
    metadata: Mapping[str, MetadataValue] = EMPTY
    caller: str = ""
    tracestate: str = ""
    trailing_metadata: dict[str, MetadataValue] = msgspec.field(default_factory=dict)

    def set_trailing_metadata(self, key: str, value: MetadataValue) -> None:
        """Say something beside the answer; it travels when the call ends, well or badly.

        Raises:
            InvalidField: the key or the value cannot travel, or all that is said is too large.
        """
        check_all_metadata({**self.trailing_metadata, key: value}, MAXIMUM_TRAILING_BYTES)
        self.trailing_metadata[key] = value


current_call: ContextVar[CallContext | None] = ContextVar("current_call", default=None)


def remaining() -> float | None:
    """Seconds that the current call has left, or None outside of a call."""
    call = current_call.get()
    return None if call is None else call.deadline - monotonic()


def current_principal() -> Principal:
    """Who asks in the current call; `ANONYMOUS` when nobody is signed in, and outside of a call."""
    call = current_call.get()
    return ANONYMOUS if call is None else call.principal


class Baggage:
    """A named text that travels with every call from where it is set, whichever service answers.

    Declare one as a constant, as one declares a `ContextVar`.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Declare baggage.

        Args:
            name: lower-case letters, digits, '_', '.' and '-'.

        Raises:
            ValueError: the name cannot travel.
        """
        if not KEY.fullmatch(name):
            raise ValueError(f"'{name}' cannot be the name of baggage")
        self.name = name

    def get(self) -> str:
        """The text in the current call; "" when nobody set it."""
        call = current_call.get()
        return "" if call is None else call.baggage.get(self.name, "")


@contextmanager
def call_scope(
    *,
    principal: Principal | None = None,
    traceparent: str | None = None,
    tracestate: str = "",
    baggage: Mapping[Baggage, str] | None = None,
) -> Iterator[None]:
    """Let the calls that are made in the block say who asks, or carry more.

    Args:
        principal: who asks; as it is outside of the block when None.
        traceparent: the W3C trace context; as it is outside of the block when None.
        tracestate: what is said of the trace, if `traceparent` is given.
        baggage: what is added to the baggage.

    Raises:
        InvalidField: one of them cannot travel.
    """
    call = current_call.get() or CallContext(math.inf)
    added = {item.name: text for item, text in (baggage or {}).items()}
    if principal is not None:
        check_principal(principal)
    if traceparent:
        check_traceparent(traceparent)
    if tracestate:
        check_tracestate(tracestate)
    if added:
        check_baggage({**call.baggage, **added})
    token = current_call.set(
        msgspec.structs.replace(
            call,
            principal=call.principal if principal is None else principal,
            traceparent=call.traceparent if traceparent is None else traceparent,
            tracestate=call.tracestate if traceparent is None else tracestate,
            baggage=MappingProxyType({**call.baggage, **added}),
        )
    )
    try:
        yield
    finally:
        current_call.reset(token)


def check_traceparent(traceparent: str) -> None:
    """Check a trace context.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header.

    Raises:
        InvalidField: it is none.
    """
    if not _TRACEPARENT.fullmatch(traceparent):
        raise InvalidField("traceparent", "expected VERSION-TRACE-PARENT-FLAGS in hexadecimal")


def check_tracestate(tracestate: str) -> None:
    """Check what is said of a trace.

    Source: https://www.w3.org/TR/trace-context/#tracestate-header.

    Raises:
        InvalidField: it is no list of members, or too long to be passed on.
    """
    members = [each for each in (part.strip(" \t") for part in tracestate.split(",")) if each]
    if len(tracestate) > MAXIMUM_TRACESTATE_BYTES or len(members) > _MAXIMUM_TRACESTATE_MEMBERS:
        raise InvalidField(
            "tracestate",
            f"expected at most {MAXIMUM_TRACESTATE_BYTES} bytes and {_MAXIMUM_TRACESTATE_MEMBERS} "
            f"members",
        )
    if not members or not all(map(_TRACESTATE_MEMBER.fullmatch, members)):
        raise InvalidField("tracestate", "expected KEY=VALUE,KEY=VALUE")


def check_baggage(baggage: Mapping[str, str]) -> None:
    """Check that baggage can travel.

    Raises:
        InvalidField: a text cannot, or all of them are too large.
    """
    size = sum(
        len(name) + _travelling(f"baggage[{name}]", text) + 2 for name, text in baggage.items()
    )
    if size > MAXIMUM_BAGGAGE_BYTES:
        raise InvalidField("baggage", f"expected at most {MAXIMUM_BAGGAGE_BYTES} bytes, got {size}")


def _travelling(path: str, text: str) -> int:
    """How many bytes a text takes in a header."""
    try:
        return len(quote(text))
    except (TypeError, UnicodeEncodeError):
        raise InvalidField(path, "expected Unicode text") from None
