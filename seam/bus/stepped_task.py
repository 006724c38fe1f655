"""A task whose steps run in the task that awaits it.

An `asyncio.Task` for each call would cost several times what the call costs. Here is a lighter
one, made as https://docs.python.org/3/library/asyncio-extending.html describes: each of its steps
runs in a context of its own, and while it does, it is the current task. Whatever the handler
cancels, by `asyncio.timeout`, a `TaskGroup` or itself, is therefore the handler and never its
caller.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from asyncio import CancelledError
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any

from seam.bus.failures import cancelled_itself, outward
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import StatusError

Waiter = asyncio.Future[Any] | None
"""What a coroutine waits for; None when it only lets others have a turn."""

DoneCallback = Callable[[Any], object]
"""Is told that a task has ended, and which."""


class SteppedTask(ABC):
    """What the tasks of handlers have in common.

    To a handler, and to libraries that it uses, its task can be cancelled, and counts how often it
    was, as `asyncio.Task` does. It cannot be awaited by anybody but the bus.
    """

    # Defaults here, so that a call which waits for nothing sets none of them.
    _fut_waiter: Waiter = None
    _coroutine: Coroutine[Any, Any, Any]
    _context: Context
    _loop: asyncio.AbstractEventLoop
    _name = ""
    _must_cancel = False
    _cancel_requests = 0
    _told_when_done: list[tuple[DoneCallback, Context]] | None = None

    @property
    @abstractmethod
    def method(self) -> MethodDescriptor[Any, Any]:
        """The method that is called."""

    @abstractmethod
    def done(self) -> bool:
        """Whether the handler has ended."""

    def cancel(self, msg: object = None) -> bool:
        """Ask the handler to end, as `asyncio.Task.cancel` does."""
        if self.done():
            return False
        self._cancel_requests += 1
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        """How often the handler was asked to end."""
        return self._cancel_requests

    def uncancel(self) -> int:
        """Take back that the handler was asked to end, once."""
        self._cancel_requests = max(0, self._cancel_requests - 1)
        return self._cancel_requests

    def add_done_callback(self, callback: DoneCallback, *, context: Context | None = None) -> None:
        """Call `callback` with this task when the handler has ended."""
        if self._told_when_done is None:
            self._told_when_done = []
        self._told_when_done.append((callback, context or copy_context()))
        if self.done():
            self._tell()

    def remove_done_callback(self, callback: DoneCallback) -> int:
        """Forget a callback; says how often it was to be called."""
        before = self._told_when_done or []
        self._told_when_done = [each for each in before if each[0] != callback]
        return len(before) - len(self._told_when_done)

    def get_coro(self) -> Coroutine[Any, Any, Any]:
        """The coroutine that answers the call."""
        return self._coroutine

    def get_context(self) -> Context:
        """The context in which the handler runs."""
        return self._context

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that runs the handler."""
        return self._loop

    def get_name(self) -> str:
        """The name of the method that is called, if nobody gave another."""
        return self._name or self.method.full_name

    def set_name(self, value: object) -> None:
        """Give another name."""
        self._name = str(value)

    def _waiting(self, waiter: Waiter) -> Waiter:
        """Note what the handler waits for, so that it can be cancelled."""
        self._fut_waiter = waiter
        if self._must_cancel and waiter is not None and waiter.cancel():
            self._must_cancel = False
        return waiter

    def _step(
        self, runner: asyncio.Task[Any], sent: object, thrown: BaseException | None
    ) -> Waiter:
        """Let the handler go on as the current task; gives what it waits for next.

        Raises:
            StopIteration: the coroutine has ended.
        """
        self._fut_waiter = None
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(thrown, CancelledError):
                thrown = CancelledError()
        coroutine, run, loop = self._coroutine, self._context.run, self._loop
        _leave_task(loop, runner)
        _enter_task(loop, self)  # type: ignore[arg-type]
        waiter: Waiter
        try:
            waiter = run(coroutine.send, sent) if thrown is None else run(coroutine.throw, thrown)
            return waiter
        finally:
            _leave_task(loop, self)  # type: ignore[arg-type]
            _enter_task(loop, runner)

    def _close(self) -> None:
        """Close the coroutine, because what awaits it is closed."""
        self._context.run(self._coroutine.close)

    def _outward(self, error: BaseException) -> StatusError:
        """Turn what the handler raised into what the caller may see."""
        if isinstance(error, CancelledError) and self._cancel_requests:
            return cancelled_itself(self.method)
        # If nobody cancelled the handler, it waited for something that was cancelled: a defect.
        return outward(error, self.method)

    def _tell(self) -> None:
        """Tell those who want to know that the handler has ended."""
        callbacks, self._told_when_done = self._told_when_done or (), None
        for callback, context in callbacks:
            self._loop.call_soon(callback, self, context=context)


def will_be_cancelled(task: asyncio.Task[Any]) -> bool:
    """Whether a task was asked to end while it ran, so that its next wait is cut short."""
    asked: bool = task._must_cancel  # type: ignore[attr-defined]  # noqa: SLF001
    return asked
