"""Runs a handler in a context of its own, without a task.

A handler sees what would cross a network and nothing else. Its coroutine is therefore driven by
hand, and each of its steps enters a fresh `contextvars.Context`. A task would cost ten times as
much, and would take a cancelled caller's signal a turn of the event loop later.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["run_in_context"]

T = TypeVar("T")


@types.coroutine
def run_in_context(context: Context, coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run a coroutine in the current task, each of its steps in `context`.

    Args:
        context: the context variables that the coroutine sees and sets.
        coroutine: has `send`, `throw` and `close`; not yet started.

    Returns:
        What the coroutine returns; what it raises passes through.
    """
    run = context.run
    try:
        awaited = run(coroutine.send, None)
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
