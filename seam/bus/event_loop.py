"""Handlers and channels live in the event loop in which they were first used."""

from __future__ import annotations

import asyncio
from typing import Any

from seam.contract.descriptors import MethodDescriptor


def check_loop(
    method: MethodDescriptor[Any, Any],
    home: asyncio.AbstractEventLoop | None,
    loop: asyncio.AbstractEventLoop,
) -> asyncio.AbstractEventLoop:
    """Check that a method is called from the event loop in which it is at home.

    Args:
        method: the method that is called.
        home: the loop in which it was called before, if it was.
        loop: the loop in which it is called.

    Returns:
        The method's home from now on.

    Raises:
        RuntimeError: it is at home in another loop.
    """
    if home is None or home is loop or home.is_closed():
        return loop
    raise RuntimeError(
        f"{method.full_name} is called from another event loop than before; make a channel and a "
        "stub in each loop"
    )
