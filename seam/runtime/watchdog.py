"""Finds handlers that block the event loop, which makes every other call wait.

The loop writes down the time at short intervals. A thread looks at it, and when it is late, at what
the loop's thread is doing: the task that runs is that of a handler, or one that a handler has
started, which is noted when it is made. Then it is told which method of which service is at work,
and for everything but a handler itself, which function. Calls themselves pay nothing for this.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import threading
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, Final
from weakref import WeakKeyDictionary

from seam.bus.stepped_task import SteppedTask

log = logging.getLogger(__name__)

INTERVAL: Final = 0.02
"""Seconds between two looks at the clock."""

TOLERANCE: Final = 0.1
"""Seconds that the loop may be late before it counts as blocked."""

_EVENT_LOOP: Final = {"asyncio.runners", "asyncio.base_events", "asyncio.events", "selectors"}
"""Modules of the event loop: when one of them is innermost, nothing of ours runs."""

_Coroutine = Coroutine[Any, Any, Any] | Generator[Any, None, Any]

_COROUTINE: Final = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@contextmanager
def watching() -> Iterator[None]:
    """Log whatever blocks the running event loop while the block runs.

    Each time, one warning names the method and the milliseconds.
    """
    watchdog = _Watchdog(asyncio.get_running_loop(), threading.get_ident())
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


class _Watchdog:
    def __init__(self, loop: asyncio.AbstractEventLoop, loop_thread: int) -> None:
        self._loop = loop
        self._loop_thread = loop_thread
        self._beat = monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._started_by: WeakKeyDictionary[asyncio.Future[Any], str] = WeakKeyDictionary()
        self._make_task = loop.get_task_factory() or _make_task

    def start(self) -> None:
        self._tick()
        self._loop.set_task_factory(self._note_task)
        self._thread.start()

    def stop(self) -> None:
        if self._loop.get_task_factory() == self._note_task:
            self._loop.set_task_factory(None if self._make_task is _make_task else self._make_task)
        self._stopped.set()
        self._thread.join()

    def _note_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: _Coroutine,
        /,
        **options: Any,  # noqa: ANN401
    ) -> asyncio.Future[Any]:
        """Make a task, and note which method's handler it comes from, if it comes from one."""
        made = self._make_task(loop, coroutine, **options)
        if method := self._method(asyncio.current_task(loop)):
            self._started_by[made] = method
        return made

    def _method(self, task: object) -> str | None:
        """Which method a task answers, or was started for."""
        if isinstance(task, SteppedTask):
            return task.get_name()
        return self._started_by.get(task) if isinstance(task, asyncio.Future) else None

    def _tick(self) -> None:
        self._beat = monotonic()
        if not self._stopped.is_set():
            self._loop.call_later(INTERVAL, self._tick)

    def _watch(self) -> None:
        culprit: str | None = None
        since = 0.0
        while not self._stopped.wait(INTERVAL):
            beat = self._beat
            if culprit is not None and beat != since:
                log.warning("%s blocked the event loop for %d ms", culprit, (beat - since) * 1000)
                culprit = None
            if culprit is None and monotonic() - beat > INTERVAL + TOLERANCE:
                culprit = self._at_work()
                since = beat

    def _at_work(self) -> str | None:
        """What the loop's thread is doing; None when the machine has not let it do anything."""
        task: object = asyncio.current_task(self._loop)
        method = self._method(task)
        if isinstance(task, SteppedTask):
            return method
        function = function_at_work(sys._current_frames().get(self._loop_thread))  # noqa: SLF001
        return f"{method} (in {function})" if method and function else function


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: _Coroutine,
    /,
    **options: Any,  # noqa: ANN401
) -> asyncio.Future[Any]:
    return asyncio.Task(coroutine, loop=loop, **options)


def function_at_work(frame: FrameType | None) -> str | None:
    """Which function a thread is running: that of its task, or of a callback.

    Args:
        frame: the innermost frame of the thread.

    Returns:
        The function's module and name; None when the event loop is late though nothing runs, as
        the machine has not let it.
    """
    if frame is None or frame.f_globals.get("__name__") in _EVENT_LOOP:
        return None
    found, outer = frame, frame.f_back
    while outer is not None:
        if outer.f_code.co_flags & _COROUTINE:
            found = outer
        outer = outer.f_back
    return f"{found.f_globals.get('__name__')}.{found.f_code.co_qualname}"
