"""The server's side of a call without streams, and the task that its handler runs in.

A call that may be made waits for a place among those that the service answers, then server
interceptors and the handler run, and only what the contract declares leaves: the response, an error
that the method declares, or a plain status.

A handler must not be able to tell whether its caller sits in the same process, and a caller must
be back when its time is over or when it is cancelled, whether or not the handler has let go. Over
a network both follow from the handler having a task of its own. An `asyncio.Task` for each call
would cost several times what the call costs, so here is a lighter one, made as
https://docs.python.org/3/library/asyncio-extending.html describes:

- Its steps run in the task that awaits it, each in a fresh `contextvars.Context` that holds the
  call's context alone. While a step runs it is the current task, so whatever the handler cancels,
  by `asyncio.timeout`, a `TaskGroup` or itself, is the handler and never its caller.
- A handler that ends without waiting for anything needs nothing else. Only when it waits is a timer
  armed, and only if no call around it ends as early.
- When the time is over, or the caller is cancelled, the handler is cancelled too. If it does not
  end then and there, an `asyncio.Task` carries on with it, and the caller goes its way.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from asyncio import CancelledError, current_task
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Generator
from contextvars import Context
from threading import get_ident
from time import monotonic
from typing import Any, Final

from seam.auth.policy import Admission
from seam.bus.bulkhead import Bulkhead
from seam.bus.deadline import deadline_exceeded
from seam.bus.event_loop import check_loop
from seam.bus.interceptor import Invoke
from seam.bus.stepped_task import SteppedTask, Waiter, will_be_cancelled
from seam.call.context import CallContext, current_call
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import StatusError
from seam.contract.records import Record

_loops: Final[dict[int, asyncio.AbstractEventLoop]] = {}
"""The loop that was last seen to run in a thread: asking asyncio costs a system call."""

_left_behind: Final[set[asyncio.Task[Any]]] = set()

_ENDED: Final[Any] = object()
"""Stands for what a handler waits for that has ended."""


class ServerCall:
    """Answers the calls of one method: makes the task of each.

    Attributes:
        method: the method that is answered.
        invoke: runs the server interceptors and the handler.
        bulkhead: where the service's calls are counted.
        admission: decides who may call.
        loop: the event loop in which it answers; None before the first call.
    """

    __slots__ = ("_admit", "admission", "bulkhead", "invoke", "loop", "method")

    def __init__(
        self,
        method: MethodDescriptor[Any, Any],
        invoke: Invoke,
        bulkhead: Bulkhead,
        admission: Admission,
    ) -> None:
        """Answer `method` by `invoke`."""
        self.admission = admission
        self._admit = admission.at_once
        self.method = method
        self.invoke = invoke
        self.bulkhead = bulkhead
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, request: Record, call: CallContext) -> Awaitable[Record]:
        """Make the task that answers one call.

        Raises:
            StatusError: the call may not be made.
        """
        admitted = self._admit(call)
        if admitted is None:
            return self._once_verified(request, call)
        return HandlerTask(self, request, admitted)

    async def _once_verified(self, request: Record, call: CallContext) -> Record:
        # In the caller's task: it is back when its time is over, wherever keys come from.
        try:
            async with asyncio.timeout(call.deadline - monotonic()):
                admitted = await self.admission.after_verifying(call)
        except TimeoutError:
            raise deadline_exceeded(self.method) from None
        return await HandlerTask(self, request, admitted)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer calls in the event loop that runs now.

        Raises:
            RuntimeError: the method is answered in another one.
        """
        self.loop = check_loop(self.method, self.loop, loop)


class HandlerTask(SteppedTask):
    """Answers one call for the task that awaits it, once."""

    _response: Record

    # Defaults here, so that a call which waits for nothing sets none of them.
    _started = False
    _expired = False
    _is_left = False
    _holds_place = True

    def __init__(self, server: ServerCall, request: Record, call: CallContext) -> None:
        """Prepare to answer a call.

        Args:
            server: answers the method.
            request: the request record.
            call: becomes `current_call` of the handler and of all that it starts. The handler is
                cancelled at its deadline.
        """
        self._server = server
        self._request = request
        self._call = call

    def __await__(self) -> Generator[Any, Any, Record]:
        """Answer the call.

        Returns:
            The response.

        Raises:
            ContractError: the method declares it.
            StatusError: DEADLINE_EXCEEDED, because the call took too long; CANCELLED, because the
                handler cancelled itself; or another status that the handler gave.
            CancelledError: the caller was cancelled.
            RuntimeError: it is awaited for a second time, maybe by the handler itself.
        """
        # The fast path of the whole system: written out, and measured in benchmarks/bus.py.
        if self._started:
            raise RuntimeError("a call is answered once, and a handler cannot wait for itself")
        self._started = True
        loop = _loops.get(get_ident())
        caller = None if loop is None else current_task(loop)
        if loop is None or caller is None:
            loop, caller = _find_running()
        server, call = self._server, self._call
        if loop is not server.loop:
            server.bind(loop)
        bulkhead = server.bulkhead
        if bulkhead.free:
            bulkhead.free -= 1
            invoke = server.invoke
        else:
            invoke = self._queued
        self._loop, self._context = loop, Context()
        _leave_task(loop, caller)
        _enter_task(loop, self)  # type: ignore[arg-type]
        try:
            waiter = self._context.run(self._begin, invoke)
        except BaseException as error:
            if self._holds_place:
                bulkhead.leave()
            raise self._outward(error) from None
        finally:
            _leave_task(loop, self)  # type: ignore[arg-type]
            _enter_task(loop, caller)
            if self._told_when_done and self.done():
                self._tell()
        if waiter is not _ENDED:
            return (yield from self._wait(waiter, caller))
        if bulkhead.waiting:
            bulkhead.leave()
        else:
            bulkhead.free += 1
        if monotonic() >= call.deadline:
            call.trailing_metadata.clear()
            raise deadline_exceeded(server.method)
        return self._response

    def _begin(self, invoke: Invoke) -> Waiter:
        """Let the handler run until it waits for the first time; `_ENDED` when it never does."""
        current_call.set(self._call)
        self._coroutine = coroutine = self._answer(invoke)
        # Unlike `send`, `next` makes no exception of a coroutine's end.
        waiter: Waiter = next(coroutine.__await__(), _ENDED)
        return waiter

    async def _answer(self, invoke: Invoke) -> None:
        self._response = await invoke(self._request, self._call)

    def _wait(self, waiter: Waiter, caller: asyncio.Task[Any]) -> Generator[Any, Any, Record]:
        """Go on with a handler that waits, until it ends or nobody waits for it any more.

        Args:
            waiter: what the handler waits for.
            caller: the task that awaits the call.
        """
        deadline = self._call.deadline
        timer = None
        if not (isinstance(caller, HandlerTask) and caller.enforces(deadline)):
            timer = self._loop.call_later(max(0.0, deadline - monotonic()), self._expire)
        requests, is_cancelled = caller.cancelling(), will_be_cancelled(caller)
        leaving: CancelledError | None = None
        failure: StatusError | None = None
        try:
            while True:
                sent: object = None
                thrown: BaseException | None = None
                try:
                    sent = yield self._waiting(waiter)
                except GeneratorExit:
                    try:
                        self._close()
                    finally:
                        self._leave()
                    raise
                except CancelledError as cancelled:
                    thrown = cancelled
                    if is_cancelled or caller.cancelling() > requests:
                        leaving = cancelled
                        self._is_left = True
                        self._cancel_requests += 1
                except BaseException as error:
                    thrown = error
                try:
                    waiter = self._step(caller, sent, thrown)
                except StopIteration:
                    self._leave()
                    break
                except BaseException as error:
                    self._leave()
                    failure = self._outward(error)
                    break
                if leaving is not None or self._expired:
                    self._leave_behind(waiter)
                    break
        finally:
            if timer is not None:
                timer.cancel()
        if leaving is not None or self._expired or monotonic() >= deadline:
            # What a caller would not get over a network any more.
            self._call.trailing_metadata.clear()
            raise leaving or deadline_exceeded(self._server.method) from None
        if failure is not None:
            raise failure from None
        return self._response

    def _expire(self) -> None:
        self._expired = True
        self.cancel()

    async def _queued(self, request: Record, call: CallContext) -> Record:
        self._holds_place = False
        await self._server.bulkhead.wait()
        self._holds_place = True
        return await self._server.invoke(request, call)

    def _leave(self) -> None:
        """Give the place back, because the handler has ended."""
        if self._told_when_done:
            self._tell()
        if self._holds_place:
            self._holds_place = False
            self._server.bulkhead.leave()

    def _leave_behind(self, waiter: Waiter) -> None:
        carrying = self._loop.create_task(
            self._carry_on(waiter), name=f"what remains of {self._server.method.full_name}"
        )
        _left_behind.add(carrying)
        carrying.add_done_callback(_left_behind.discard)

    async def _carry_on(self, waiter: Waiter) -> None:
        try:
            await self._remains(waiter)
        except GeneratorExit:
            raise
        except BaseException as error:
            # Nobody is there to hear of it but the log.
            self._outward(error)
        finally:
            self._leave()

    @types.coroutine
    def _remains(self, waiter: Waiter) -> Generator[Any, Any, None]:
        carrier = current_task(self._loop)
        assert carrier is not None
        thrown: BaseException | None
        while True:
            sent, thrown = None, None
            try:
                sent = yield self._waiting(waiter)
            except BaseException as error:
                thrown = error
            try:
                waiter = self._step(carrier, sent, thrown)
            except StopIteration:
                return

    def enforces(self, deadline: float) -> bool:
        """Whether a call that the handler makes is ended by `deadline` without a timer."""
        return self._call.deadline <= deadline and not self._is_left

    @property
    def method(self) -> MethodDescriptor[Any, Any]:
        """The method that is called."""
        return self._server.method

    def done(self) -> bool:
        """Whether the handler has ended."""
        return inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CLOSED


def _find_running() -> tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]:
    loop = asyncio.get_running_loop()
    task = current_task(loop)
    if task is None:
        raise RuntimeError("a call is made from a task of an event loop")
    _loops[get_ident()] = loop
    return loop, task


def leave_behind(task: asyncio.Task[Any]) -> None:
    """Note a task in which a cancelled handler ends without a caller, for `settle`."""
    if not task.done():
        _left_behind.add(task)
        task.add_done_callback(_left_behind.discard)


async def settle(seconds: float) -> int:
    """Wait for handlers that still tidy up after their callers have left.

    Args:
        seconds: how long to wait at most.

    Returns:
        How many have not ended by then.
    """
    loop = asyncio.get_running_loop()
    remaining = {task for task in _left_behind if task.get_loop() is loop}
    if not remaining:
        return 0
    _, late = await asyncio.wait(remaining, timeout=seconds)
    return len(late)
