"""Tasks end that swallow a cancellation, and none is left behind by who is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from seam.events.ending import end_all


async def _deaf(times: int) -> None:
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


async def _begun(times: int) -> asyncio.Task[None]:
    task = asyncio.create_task(_deaf(times))
    await asyncio.sleep(0)
    return task


async def test_tasks_end_that_swallow_a_cancellation() -> None:
    tasks = [await _begun(times) for times in (0, 1, 2)]
    async with asyncio.timeout(30):
        await end_all(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_who_is_cancelled_while_tasks_end_leaves_none_behind() -> None:
    task = await _begun(1)
    ending = asyncio.create_task(end_all([task]))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(30):
            await ending
    assert task.cancelled()
