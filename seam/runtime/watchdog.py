"""Finds handlers that block the event loop, which makes every other call wait.

The loop writes down the time at short intervals. A thread looks at it, and when it is late, at what
the loop's thread is doing: the frame of the server call that is innermost on its stack tells which
method of which service is at work. Without one, as in a task that a handler has started, it is told
which function the task runs. Calls themselves pay nothing for this.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Final

from seam.bus import handler_task, server_call
from seam.contract.descriptors import MethodDescriptor

log = logging.getLogger(__name__)

INTERVAL: Final = 0.02
"""Seconds between two looks at the clock."""

TOLERANCE: Final = 0.1
"""Seconds that the loop may be late before it counts as blocked."""

_EVENT_LOOP: Final = {"asyncio.runners", "asyncio.base_events", "asyncio.events", "selectors"}
"""Modules of the event loop: when one of them is innermost, nothing of ours runs."""

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

    def start(self) -> None:
        self._tick()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _tick(self) -> None:
        self._beat = monotonic()
        if not self._stopped.is_set():
            self._loop.call_later(INTERVAL, self._tick)

    def _watch(self) -> None:
        method: str | None = None
        function: str | None = None
        since = 0.0
        while not self._stopped.wait(INTERVAL):
            beat = self._beat
            culprit = method or function
            if culprit is not None and beat != since:
                log.warning("%s blocked the event loop for %d ms", culprit, (beat - since) * 1000)
                method = function = None
            if method is None and monotonic() - beat > INTERVAL + TOLERANCE:
                frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001
                method = method_at_work(frame)
                function = function or function_at_work(frame)
                since = beat


def method_at_work(frame: FrameType | None) -> str | None:
    """Which method a thread is answering, if it is answering one.

    Args:
        frame: the innermost frame of the thread.
    """
    while frame is not None:
        # Looking at a frame's variables copies them: only those of frames that are ours.
        if frame.f_globals is vars(handler_task):
            task = frame.f_locals.get("self")
            if isinstance(task, handler_task.HandlerTask):
                return task.get_name()
        if frame.f_globals is vars(server_call):
            method = frame.f_locals.get("method")
            if isinstance(method, MethodDescriptor):
                return method.full_name
        frame = frame.f_back
    return None


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
