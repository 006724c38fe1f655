"""The caller's side of a call: the same for every transport.

Every call has a deadline: the contract's default or the caller's own limit, and never later
than the deadline of the call that it is made from. Who ends the call at that moment differs:
gRPC does it by itself; in one process a timer is armed, but only by a call that is the first of
its task or must end before its caller's, because the timer armed there ends this one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, TypeVar, cast

from seam.bus.contract import UnaryMethod
from seam.bus.interceptor import Interceptor, Invoke, surround
from seam.context import CallContext, current_call
from seam.errors import Code, StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)
T = TypeVar("T")


def caller(
    method: UnaryMethod[Q, S],
    transport: Invoke,
    interceptors: Sequence[Interceptor] = (),
    *,
    ends_calls: bool,
) -> Callable[[Q, float | None], Coroutine[Any, Any, S]]:
    """Make the function that a stub calls.

    Args:
        method: the method that is called.
        transport: takes the request record to the callee and gives its response.
        interceptors: client interceptors, outermost first.
        ends_calls: whether the transport itself ends a call at its deadline.

    Returns:
        A function of request record and time limit in seconds, None for the contract's default.
    """
    invoke = surround(transport, method, interceptors)
    default = method.timeout

    async def call(request: Q, limit: float | None) -> S:
        outer = current_call.get()
        now = monotonic()
        deadline = now + (default if limit is None else limit)
        task = asyncio.current_task()
        if outer is not None and outer.deadline <= deadline:
            deadline = outer.deadline
            if outer.task is task and deadline > now:
                return cast(S, await invoke(request, outer))
        if deadline <= now:
            raise deadline_exceeded(method)
        context = CallContext(deadline, task)
        if ends_calls:
            return cast(S, await invoke(request, context))
        return cast(S, await timed(method, invoke(request, context), deadline))

    return call


async def timed(
    method: UnaryMethod[Any, Any], answer: Coroutine[Any, Any, T], deadline: float
) -> T:
    """Await `answer` and end it at `deadline`.

    Args:
        method: the method that is called, for the error's text.
        answer: the running call.
        deadline: on the clock of `time.monotonic`, in seconds.

    Raises:
        StatusError: DEADLINE_EXCEEDED, also when the callee answers after its time all the same.
    """
    loop = asyncio.get_running_loop()
    timer = asyncio.timeout_at(loop.time() + deadline - monotonic())
    try:
        async with timer:
            response = await answer
    except (TimeoutError, StatusError):
        if timer.expired():
            raise deadline_exceeded(method) from None
        raise
    if timer.expired():
        raise deadline_exceeded(method)
    return response


def deadline_exceeded(method: UnaryMethod[Any, Any]) -> StatusError:
    """The status of a call whose time ran out, in the same words on every transport."""
    return StatusError(Code.DEADLINE_EXCEEDED, f"{method.full_name} exceeded its deadline")
