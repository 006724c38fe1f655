"""Figures that a service has of its own, beside those that every process has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from seam.contract import StatusError


class ServiceMetrics:
    """The figures of one service; a collector of `prometheus_client`.

    Each is called after the service: `mails_sent` of notifications is
    `notifications_mails_sent_total`.
    """

    def __init__(self, service: str) -> None:
        """Collect the figures of `service`."""
        self._service = service
        self._counters: list[tuple[str, str, Callable[[], int]]] = []
        self._gauges: list[tuple[str, str, Callable[[], Awaitable[float]]]] = []
        self._measured: dict[str, float] = {}

    def counter(self, name: str, text: str, read: Callable[[], int]) -> None:
        """Tell of something that this process counts up; what workers count is added up.

        Args:
            name: its name, without the service's.
            text: what is counted, in one sentence.
            read: gives how often it has happened in this process.
        """
        self._counters.append((f"{self._service}_{name}", text, read))

    def gauge(self, name: str, text: str, measure: Callable[[], Awaitable[float]]) -> None:
        """Tell of something that goes up and down, and is the same for all who ask.

        Args:
            name: its name, without the service's.
            text: what is measured, in one sentence.
            measure: measures it. There is no figure when it raises `StatusError`.
        """
        self._gauges.append((f"{self._service}_{name}", text, measure))

    async def refresh(self) -> None:
        """Measure anew."""
        for name, _, measure in self._gauges:
            try:
                self._measured[name] = await measure()
            except StatusError:
                # No figure is better than an old one: `/readyz` says what is away.
                self._measured.pop(name, None)

    def collect(self) -> Iterator[Metric]:
        """The figures, as of the last refresh."""
        for name, text, read in self._counters:
            yield CounterMetricFamily(name, text, value=read())
        for name, text, _ in self._gauges:
            yield GaugeMetricFamily(name, text, value=self._measured.get(name))
