"""The task that the handler of a call with streams runs in."""

from __future__ import annotations

import asyncio
import types
from asyncio import CancelledError, current_task
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from seam.bus.handler_task import leave_behind
from seam.bus.stepped_task import SteppedTask, will_be_cancelled
from seam.call.context import CallContext, current_call
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import StatusError

T = TypeVar("T")


class StreamTask(SteppedTask):
    """Runs one coroutine after the other, as an asynchronous generator needs it.

    Attributes:
        is_left: whether the caller has left, so that nobody hears what comes of the call.
    """

    def __init__(self, method: MethodDescriptor[Any, Any], call: CallContext) -> None:
        """Make the task of a call, in the loop that runs.

        Args:
            method: the method that is called.
            call: becomes `current_call` of the handler and of all that it starts.
        """
        self._method = method
        self._loop = asyncio.get_running_loop()
        self._context = Context()
        self._context.run(current_call.set, call)
        self._ended = False
        self.is_left = False

    @property
    def method(self) -> MethodDescriptor[Any, Any]:
        """The method that is called."""
        return self._method

    def done(self) -> bool:
        """Whether the handler has ended."""
        return self._ended

    @types.coroutine
    def run(self, coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        """Run a coroutine as this task.

        Returns:
            What the coroutine returns; what it raises passes through.

        Raises:
            RuntimeError: the coroutine raised `GeneratorExit`, which says that it was closed,
                although nobody closed it.
        """
        runner = current_task(self._loop)
        assert runner is not None
        self._coroutine = coroutine
        closed = False
        try:
            # What was cancelled between two coroutines learns it at its next wait. Thrown now, it
            # might end an interceptor that stands before the handler.
            asked, self._must_cancel = self._must_cancel, False
            try:
                waiter = self._step(runner, None, None)
            finally:
                self._must_cancel |= asked
            requests, is_cancelled = runner.cancelling(), will_be_cancelled(runner)
            while True:
                sent: object = None
                thrown: BaseException | None = None
                try:
                    sent = yield self._waiting(waiter)
                except GeneratorExit:
                    closed = True
                    self._close()
                    raise
                except CancelledError as cancelled:
                    thrown = cancelled
                    if is_cancelled or runner.cancelling() > requests:
                        self.is_left = True
                        self._cancel_requests += 1
                        leave_behind(runner)
                except BaseException as error:
                    thrown = error
                waiter = self._step(runner, sent, thrown)
        except StopIteration as stop:
            value: T = stop.value
            return value
        except GeneratorExit as error:
            if closed:
                raise
            raise RuntimeError("GeneratorExit was raised by what was not closed") from error

    @types.coroutine
    def end(self, coroutine: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        """Run the last coroutine: it closes the handler, and is not cancelled before it begins."""
        runner = current_task(self._loop)
        assert runner is not None
        leave_behind(runner)
        self._must_cancel = False
        try:
            yield from self.run(coroutine)
        finally:
            self._ended = True
            self._tell()

    def outward(self, error: BaseException) -> StatusError:
        """Turn what the handler raised into what the caller may see."""
        return self._outward(error)
