"""Ends tasks that may not hear of it the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

_AGAIN = 0.5
"""Seconds after which a task is cancelled again."""


async def end_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    The client of NATS swallows a cancellation that comes while it waits to write.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN)
