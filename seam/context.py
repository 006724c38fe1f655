"""What travels with a call, and nothing else.

A callee must not be able to tell whether its caller sits in the same process. It therefore
sees only what would cross a network: the deadline, the trace, who is asking, declared baggage and
the call's metadata. The caller's other context variables stay with the caller, because every
handler runs in a fresh `contextvars.Context`, and what the handler sets there is gone when it
returns.

`isolated` does this without a task: it drives the handler's coroutine itself, entering the
fresh context for each step. A task would cost ten times as much, and would take a cancelled
caller's signal a turn of the event loop later.
"""

from __future__ import annotations

import asyncio
import math
import re
import types
from collections.abc import Awaitable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from time import monotonic
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from seam.errors import InvalidField

__all__ = [
    "Baggage",
    "CallContext",
    "Metadata",
    "MetadataValue",
    "acting",
    "current_call",
    "in_context",
    "isolated",
    "remaining",
]

T = TypeVar("T")

MetadataValue = str | bytes
"""Bytes under keys that end in `-bin`, printable ASCII text under all others."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_KEY: Final = re.compile(r"[0-9a-z_.-]+")
_RESERVED: Final = ("baggage", "grpc-", "seam-", "traceparent", "user-agent")
_TEXT: Final = re.compile(r"[\x20-\x7e]*")


class Metadata:
    """What a caller and a callee say to each other beside the records of a call.

    A caller makes one, hands it to a stub's method, and finds what the callee answered in
    `received` when the call has ended.
    """

    __slots__ = ("received", "sent")

    def __init__(self, sent: Mapping[str, MetadataValue] = NOTHING) -> None:
        """Send `sent` with a call.

        Raises:
            InvalidField: a key or a value cannot travel.
        """
        for key, value in sent.items():
            check_metadata(key, value)
        self.sent: Mapping[str, MetadataValue] = MappingProxyType(dict(sent))
        self.received: Mapping[str, MetadataValue] = NOTHING


def check_metadata(key: str, value: MetadataValue) -> None:
    """See to it that an item of metadata can travel.

    Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Custom-Metadata.

    Raises:
        InvalidField: the key or the value cannot; says what was expected.
    """
    if not _KEY.fullmatch(key) or key.startswith(_RESERVED):
        raise InvalidField(
            f"metadata[{key!r}]",
            "expected a key of lower-case letters, digits, '_', '.' and '-' that is not reserved "
            f"({', '.join(_RESERVED)})",
        )
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise InvalidField(f"metadata[{key!r}]", "expected bytes, as its key ends in -bin")
    elif not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise InvalidField(f"metadata[{key!r}]", "expected text of printable ASCII characters")


class CallContext(msgspec.Struct, frozen=True, eq=False):
    """What a handler knows of the call that it answers.

    Attributes:
        deadline: when the call ends, on the clock of `time.monotonic`, in seconds.
        task: the task that ends at the deadline, because a timer was armed for it.
        trace: W3C trace context of the call, a `traceparent`; "" when it is not traced.
        principal: who is asking; "" when nobody said.
        baggage: declared baggage by name, see `Baggage`.
        metadata: what the caller said beside the record.
        response_metadata: what the callee says beside its answer; see `respond`.
    """

    deadline: float
    task: asyncio.Task[Any] | None = None
    trace: str = ""
    principal: str = ""
    baggage: Mapping[str, str] = NOTHING
    metadata: Mapping[str, MetadataValue] = NOTHING
    response_metadata: dict[str, MetadataValue] = msgspec.field(default_factory=dict)

    def respond(self, key: str, value: MetadataValue) -> None:
        """Say something beside the answer; it travels when the call ends, well or badly.

        Raises:
            InvalidField: the key or the value cannot travel.
        """
        check_metadata(key, value)
        self.response_metadata[key] = value


current_call: ContextVar[CallContext | None] = ContextVar("current_call", default=None)


def remaining() -> float | None:
    """Seconds that the current call has left, or None outside of a call."""
    call = current_call.get()
    return None if call is None else call.deadline - monotonic()


class Baggage:
    """A named text that travels with every call from where it is set, whoever answers.

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
        if not _KEY.fullmatch(name):
            raise ValueError(f"'{name}' cannot be the name of baggage")
        self.name = name

    def get(self) -> str:
        """The text in the current call; "" when nobody set it."""
        call = current_call.get()
        return "" if call is None else call.baggage.get(self.name, "")


@contextmanager
def acting(
    *,
    principal: str | None = None,
    trace: str | None = None,
    baggage: Mapping[Baggage, str] | None = None,
) -> Iterator[None]:
    """Let the calls that are made in the block say who asks, or carry more.

    Args:
        principal: who asks; as it is outside of the block when None.
        trace: the `traceparent`; as it is outside of the block when None.
        baggage: what is added to the baggage.
    """
    call = current_call.get() or CallContext(math.inf)
    added = {item.name: text for item, text in (baggage or {}).items()}
    token = current_call.set(
        msgspec.structs.replace(
            call,
            principal=call.principal if principal is None else principal,
            trace=call.trace if trace is None else trace,
            baggage=MappingProxyType({**call.baggage, **added}),
        )
    )
    try:
        yield
    finally:
        current_call.reset(token)


def isolated(call: CallContext, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
    """Run a handler's coroutine in the current task, in a context that holds `call` alone.

    Args:
        call: becomes `current_call` for the coroutine and for all that it starts.
        coroutine: the handler, not yet started.

    Returns:
        What the coroutine returns; what it raises passes through.
    """
    return in_context(Context(), coroutine, call)


@types.coroutine
def in_context(
    context: Context, coroutine: Coroutine[Any, Any, T], call: CallContext | None = None
) -> Generator[Any, Any, T]:
    """Run a coroutine in the current task, each of its steps in `context`.

    Args:
        context: the context variables that the coroutine sees and sets.
        coroutine: has `send`, `throw` and `close`; not yet started.
        call: becomes `current_call` in the context, unless it is None.

    Returns:
        What the coroutine returns; what it raises passes through.
    """
    run = context.run
    try:
        awaited = run(coroutine.send, None) if call is None else run(_start, call, coroutine)
        while True:
            try:
                result = yield awaited
            except GeneratorExit:
                run(coroutine.close)
                raise
            except BaseException as error:
                awaited = run(coroutine.throw, error)
            else:
                awaited = run(coroutine.send, result)
    except StopIteration as stop:
        value: T = stop.value
        return value


def _start(call: CallContext, coroutine: Coroutine[Any, Any, Any]) -> object:
    current_call.set(call)
    return coroutine.send(None)
