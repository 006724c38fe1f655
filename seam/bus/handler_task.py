"""The server's side of a call without streams, and the task that its handler runs in.

A call waits for a place among those that the service answers, then server interceptors and the
handler run, and only what the contract declares leaves: the response, an error that the method
declares, or a plain status.

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
from collections.abc import Coroutine, Generator
from contextvars import Context
from threading import get_ident
from time import monotonic
from typing import Any, Final

from seam.bus.bulkhead import Bulkhead
from seam.bus.deadline import deadline_exceeded
from seam.bus.event_loop import check_loop
from seam.bus.failures import internal, outward
from seam.bus.interceptor import Invoke
from seam.call.context import CallContext, current_call
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record

Waiter = asyncio.Future[Any] | None
"""What a coroutine waits for; None when it only lets others have a turn."""

_loops: Final[dict[int, asyncio.AbstractEventLoop]] = {}
"""The loop that was last seen to run in a thread: asking asyncio costs a system call."""

_left_behind: Final[set[asyncio.Task[Any]]] = set()


class ServerCall:
    """Answers the calls of one method: makes the task of each.

    Attributes:
        method: the method that is answered.
        invoke: runs the server interceptors and the handler.
        bulkhead: where the service's calls are counted.
        loop: the event loop in which it answers; None before the first call.
    """

    __slots__ = ("bulkhead", "invoke", "loop", "method")

    def __init__(
        self, method: MethodDescriptor[Any, Any], invoke: Invoke, bulkhead: Bulkhead
    ) -> None:
        """Answer `method` by `invoke`."""
        self.method = method
        self.invoke = invoke
        self.bulkhead = bulkhead
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, request: Record, call: CallContext) -> HandlerTask:
        """Make the task that answers one call."""
        return HandlerTask(self, request, call)

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer calls in the event loop that runs now.

        Raises:
            RuntimeError: the method is answered in another one.
        """
        self.loop = check_loop(self.method, self.loop, loop)


class HandlerTask:
    """Answers one call for whoever awaits it, once.

    To the handler, and to libraries that it uses, it is the current task: it can be cancelled, and
    counts how often it was, as `asyncio.Task` does.
    """

    # Defaults here, so that a call which waits for nothing sets none of them.
    _fut_waiter: Waiter = None
    _coroutine: Coroutine[Any, Any, Record]
    _context: Context
    _loop: asyncio.AbstractEventLoop
    _must_cancel = False
    _cancel_requests = 0
    _expired = False
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
        """
        # The fast path of the whole system: written out, and measured in benchmarks/bus.py.
        loop = _loops.get(get_ident())
        caller = None if loop is None else current_task(loop)
        if loop is None or caller is None:
            loop, caller = _find_running()
        requests = caller.cancelling()
        server, call = self._server, self._call
        if loop is not server.loop:
            server.bind(loop)
        bulkhead = server.bulkhead
        if bulkhead.free:
            bulkhead.free -= 1
            # Handlers and interceptors are coroutine functions.
            coroutine: Any = server.invoke(self._request, call)
        else:
            coroutine = self._queued()
        self._loop, self._coroutine = loop, coroutine
        self._context = context = Context()
        _leave_task(loop, caller)
        _enter_task(loop, self)  # type: ignore[arg-type]
        try:
            waiter = context.run(_begin, call, coroutine)
        except StopIteration as stop:
            if bulkhead.waiting:
                bulkhead.leave()
            else:
                bulkhead.free += 1
            if monotonic() >= call.deadline:
                call.trailing_metadata.clear()
                raise deadline_exceeded(server.method) from None
            result: Record = stop.value
            return result
        except BaseException as error:
            if self._holds_place:
                bulkhead.leave()
            raise self._outward(error) from None
        finally:
            _leave_task(loop, self)  # type: ignore[arg-type]
            _enter_task(loop, caller)
        return (yield from self._wait(waiter, caller, requests))

    def _wait(
        self, waiter: Waiter, caller: asyncio.Task[Any], requests: int
    ) -> Generator[Any, Any, Record]:
        """Go on with a handler that waits, until it ends or nobody waits for it any more.

        Args:
            waiter: what the handler waits for.
            caller: the task that awaits the call.
            requests: how often the caller had been asked to end before it made the call.
        """
        deadline = self._call.deadline
        timer = None
        if not (isinstance(caller, HandlerTask) and caller.deadline <= deadline):
            timer = self._loop.call_later(max(0.0, deadline - monotonic()), self._expire)
        leaving: CancelledError | None = None
        failure: StatusError | None = None
        response: Record | None = None
        try:
            while True:
                sent: object = None
                thrown: BaseException | None = None
                try:
                    sent = yield self._waiting(waiter)
                except GeneratorExit:
                    self._context.run(self._coroutine.close)
                    self._leave()
                    raise
                except CancelledError as cancelled:
                    thrown = cancelled
                    if caller.cancelling() > requests:
                        leaving = cancelled
                        self._cancel_requests += 1
                except BaseException as error:
                    thrown = error
                try:
                    waiter = self._step(caller, sent, thrown)
                except StopIteration as stop:
                    self._leave()
                    response = stop.value
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
        assert response is not None
        return response

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
            StopIteration: the handler has ended.
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

    def _expire(self) -> None:
        self._expired = True
        self.cancel()

    async def _queued(self) -> Record:
        self._holds_place = False
        await self._server.bulkhead.wait()
        self._holds_place = True
        return await self._server.invoke(self._request, self._call)

    def _leave(self) -> None:
        if self._holds_place:
            self._holds_place = False
            self._server.bulkhead.leave()

    def _outward(self, error: BaseException) -> StatusError:
        method = self._server.method
        if isinstance(error, Exception):
            return outward(error, method)
        if not isinstance(error, CancelledError):
            raise error
        if self._cancel_requests:
            return StatusError(Code.CANCELLED, f"{method.full_name} cancelled itself")
        # The handler waited for something that was cancelled, and nobody cancelled the handler.
        return internal(error, method)

    def _leave_behind(self, waiter: Waiter) -> None:
        carrying = self._loop.create_task(
            self._carry_on(waiter), name=f"what remains of {self._server.method.full_name}"
        )
        _left_behind.add(carrying)
        carrying.add_done_callback(_left_behind.discard)

    async def _carry_on(self, waiter: Waiter) -> None:
        try:
            await self._remains(waiter)
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

    # What libraries ask of the current task.

    @property
    def deadline(self) -> float:
        """When the handler is cancelled, on the clock of `time.monotonic`, in seconds."""
        return self._call.deadline

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

    def done(self) -> bool:
        """Whether the handler has ended."""
        return inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CLOSED

    def get_coro(self) -> Coroutine[Any, Any, Record]:
        """The coroutine that answers the call."""
        return self._coroutine

    def get_context(self) -> Context:
        """The context in which the handler runs."""
        return self._context

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that runs the handler."""
        return self._loop

    def get_name(self) -> str:
        """The name of the method that is called."""
        return self._server.method.full_name


def _begin(call: CallContext, coroutine: Coroutine[Waiter, Any, Any]) -> Waiter:
    current_call.set(call)
    return coroutine.send(None)


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
