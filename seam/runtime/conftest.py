"""What all tests of processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop

from seam.testing.nats import stoppable_nats

__all__ = ["stoppable_nats"]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that processes have."""
    return {"uvloop": uvloop.new_event_loop}
