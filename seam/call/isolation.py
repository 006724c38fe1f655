"""Runs a handler in a context of its own, without a task.

A handler sees what would cross a network and nothing else. Its coroutine is therefore driven by
hand, and each of its steps enters a fresh `contextvars.Context`. A task would cost ten times as
much, and would take a cancelled caller's signal a turn of the event loop later.
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from seam.call.context import CallContext, current_call

__all__ = ["run_in_context", "run_isolated"]

T = TypeVar("T")


def run_isolated(call: CallContext, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
    """Run a handler's coroutine in the current task, in a context that holds `call` alone.

    Args:
        call: becomes `current_call` for the coroutine and for all that it starts.
        coroutine: the handler, not yet started.

    Returns:
        What the coroutine returns; what it raises passes through.
    """
    return run_in_context(Context(), coroutine, call)


@types.coroutine
def run_in_context(
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
