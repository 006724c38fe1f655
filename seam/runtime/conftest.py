"""What all tests of processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop

from seam.testing.databases import postgres_server
from seam.testing.nats import nats_server, stoppable_nats

__all__ = [
    "nats_server",
    "postgres_server",
    "pytest_asyncio_loop_factories",
    "stoppable_nats",
]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that processes have."""
    return {"uvloop": uvloop.new_event_loop}
