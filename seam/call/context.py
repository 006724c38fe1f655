"""What travels with a call, and nothing else.

A callee must not be able to tell whether its caller sits in the same process. It therefore
sees only what would cross a network: the deadline, the trace, who is asking, declared baggage and
the call's metadata. The caller's other context variables stay with the caller, because every
handler runs in a fresh `contextvars.Context` (`seam.call.isolation`), and what the handler sets
there is gone when it returns.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from types import MappingProxyType
from typing import Any

import msgspec

from seam.call.metadata import EMPTY, KEY, MetadataValue, check_metadata

__all__ = ["Baggage", "CallContext", "call_scope", "current_call", "remaining"]


class CallContext(msgspec.Struct, frozen=True, eq=False):
    """What a handler knows of the call that it answers.

    Attributes:
        deadline: when the call ends, on the clock of `time.monotonic`, in seconds.
        task: the task that ends at the deadline, because a timer was armed for it.
        traceparent: W3C trace context of the call; "" when it is not traced.
        principal: who is asking; "" when nobody said.
        baggage: declared baggage by name, see `Baggage`.
        metadata: what the caller said beside the record.
        trailing_metadata: what the callee says beside its answer; see `set_trailing_metadata`.
    """

    deadline: float
    task: asyncio.Task[Any] | None = None
    traceparent: str = ""
    principal: str = ""
    baggage: Mapping[str, str] = EMPTY
    metadata: Mapping[str, MetadataValue] = EMPTY
    trailing_metadata: dict[str, MetadataValue] = msgspec.field(default_factory=dict)

    def set_trailing_metadata(self, key: str, value: MetadataValue) -> None:
        """Say something beside the answer; it travels when the call ends, well or badly.

        Raises:
            InvalidField: the key or the value cannot travel.
        """
        check_metadata(key, value)
        self.trailing_metadata[key] = value


current_call: ContextVar[CallContext | None] = ContextVar("current_call", default=None)


def remaining() -> float | None:
    """Seconds that the current call has left, or None outside of a call."""
    call = current_call.get()
    return None if call is None else call.deadline - monotonic()


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
    principal: str | None = None,
    traceparent: str | None = None,
    baggage: Mapping[Baggage, str] | None = None,
) -> Iterator[None]:
    """Let the calls that are made in the block say who asks, or carry more.

    Args:
        principal: who asks; as it is outside of the block when None.
        traceparent: the W3C trace context; as it is outside of the block when None.
        baggage: what is added to the baggage.
    """
    call = current_call.get() or CallContext(math.inf)
    added = {item.name: text for item, text in (baggage or {}).items()}
    token = current_call.set(
        msgspec.structs.replace(
            call,
            principal=call.principal if principal is None else principal,
            traceparent=call.traceparent if traceparent is None else traceparent,
            baggage=MappingProxyType({**call.baggage, **added}),
        )
    )
    try:
        yield
    finally:
        current_call.reset(token)
