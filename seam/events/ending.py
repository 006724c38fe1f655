"""Ends tasks that may not hear of it the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

_AGAIN = 0.5
"""Seconds after which a task is cancelled again."""


async def end_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended, even when this is cancelled meanwhile.

    The client of NATS swallows a cancellation that comes while it waits to write; and so does
    `asyncio.wait_for` of Python 3.11 when what it waits for ends in the same turn of the loop.
    """
    pending = set(tasks)
    interrupted = False
    while pending:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_AGAIN)
        except asyncio.CancelledError:
            # What is left behind would go on for ever, with databases that are closed.
            interrupted = True
        pending = {task for task in pending if not task.done()}
    if interrupted:
        raise asyncio.CancelledError
