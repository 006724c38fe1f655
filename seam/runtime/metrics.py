"""What `/metrics` answers: figures of the process, and of all workers where there are some."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from seam.events.metrics import EventMetrics
from seam.runtime.figures import Figures, figures_of, text_of
from seam.runtime.http_worker import Worker
from seam.runtime.service_metrics import ServiceMetrics

MEASURED_EVERY: Final = 5.0
"""Seconds for which figures that somebody was asked for are good."""


class Metrics:
    """The figures of one process."""

    def __init__(
        self,
        events: EventMetrics,
        services: Sequence[ServiceMetrics] = (),
        worker: Worker | None = None,
    ) -> None:
        """Tell about events, about what services tell, and about the process itself.

        Args:
            events: figures about events.
            services: figures that services have of their own.
            worker: leads to the other processes that answer on the same port.
        """
        self._sources: tuple[EventMetrics | ServiceMetrics, ...] = (events, *services)
        self._worker = worker
        self._measured: float | None = None
        self._turn = asyncio.Lock()
        self._registry = CollectorRegistry()
        for source in self._sources:
            self._registry.register(source)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        if worker is not None:
            worker.tells(self.measure, self.collect)

    async def __call__(self) -> bytes:
        """The figures now, as text.

        Raises:
            StatusError: UNAVAILABLE, because nothing is known of the other workers.
        """
        if self._worker is None:
            return text_of(await self.measure())
        return text_of(await self._worker.figures_of_all())

    async def measure(self) -> list[Figures]:
        """The figures of this process now."""
        async with self._turn:
            if self._measured is None or monotonic() - self._measured >= MEASURED_EVERY:
                for source in self._sources:
                    await source.refresh()
                self._measured = monotonic()
        return self.collect()

    def collect(self) -> list[Figures]:
        """The figures of this process, of which some were measured before."""
        return figures_of(self._registry)
