"""What `/metrics` answers: figures of the process, in the text format of Prometheus.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from seam.events.metrics import EventMetrics
from seam.runtime.service_metrics import ServiceMetrics

MEASURED_EVERY: Final = 5.0
"""Seconds for which figures that somebody was asked for are good."""


class Metrics:
    """The figures of one process."""

    def __init__(self, events: EventMetrics, services: Sequence[ServiceMetrics] = ()) -> None:
        """Tell about events, about what services tell, and about the process itself."""
        self._sources = (events, *services)
        self._measured: float | None = None
        self._turn = asyncio.Lock()
        self._registry = CollectorRegistry()
        for source in self._sources:
            self._registry.register(source)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    async def __call__(self) -> bytes:
        """The figures now, as text."""
        async with self._turn:
            if self._measured is None or monotonic() - self._measured >= MEASURED_EVERY:
                for source in self._sources:
                    await source.refresh()
                self._measured = monotonic()
        return generate_latest(self._registry)
