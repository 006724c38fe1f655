"""Ends a call when its time is over, in the same words on every transport."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from time import monotonic
from typing import Any, TypeVar

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError

T = TypeVar("T")


async def with_deadline(
    method: MethodDescriptor[Any, Any], answer: Coroutine[Any, Any, T], deadline: float
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


def deadline_exceeded(method: MethodDescriptor[Any, Any]) -> StatusError:
    """The status of a call whose time ran out, in the same words on every transport."""
    return StatusError(Code.DEADLINE_EXCEEDED, f"{method.full_name} exceeded its deadline")
