"""What travels with a call, and nothing else.

A callee must not be able to tell whether its caller sits in the same process. It therefore
sees only what would cross a network: today the deadline. The caller's other context variables
stay with the caller, because every handler runs in a fresh `contextvars.Context`, and what the
handler sets there is gone when it returns.

`isolated` does this without a task: it drives the handler's coroutine itself, entering the
fresh context for each step. A task would cost ten times as much, and would take a cancelled
caller's signal a turn of the event loop later.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from contextvars import Context, ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

__all__ = ["CallContext", "current_call", "isolated", "remaining"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class CallContext:
    """What a handler knows of the call that it answers.

    Attributes:
        deadline: when the call ends, on the clock of `time.monotonic`, in seconds.
        task: the task that ends at the deadline, because a timer was armed for it.
    """

    deadline: float
    task: asyncio.Task[Any] | None


current_call: ContextVar[CallContext | None] = ContextVar("current_call", default=None)


def remaining() -> float | None:
    """Seconds that the current call has left, or None outside of a call."""
    call = current_call.get()
    return None if call is None else call.deadline - monotonic()


@types.coroutine
def isolated(call: CallContext, coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run `coroutine` in the current task, in a context that holds `call` alone.

    Args:
        call: becomes `current_call` for the coroutine and for all that it starts.
        coroutine: the handler, not yet started.

    Returns:
        What the coroutine returns; what it raises passes through.
    """
    run = Context().run
    try:
        awaited = run(_start, call, coroutine)
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
