"""What `/metrics` answers: figures of the process, in the text format of Prometheus.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from seam.events.metrics import EventMetrics


class Metrics:
    """The figures of one process."""

    def __init__(self, events: EventMetrics) -> None:
        """Tell about events, and about the process itself."""
        self._events = events
        self._registry = CollectorRegistry()
        self._registry.register(events)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    async def __call__(self) -> bytes:
        """The figures now, as text."""
        await self._events.refresh()
        return generate_latest(self._registry)
