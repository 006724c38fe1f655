"""Figures about events, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from seam.contract import StatusError
from seam.events.failures import BrokerAwayError
from seam.events.host import Delivery
from seam.events.lag import Lag, measure


class EventMetrics:
    """The figures of one process; a collector of `prometheus_client`."""

    def __init__(self, delivery: Delivery) -> None:
        """Tell about what `delivery` does."""
        self._delivery = delivery
        self._lags: dict[str, Lag] = {}
        self._unread: dict[tuple[str, str], int] = {}

    async def refresh(self) -> None:
        """Ask the databases and the broker."""
        for service, database in self._delivery.databases.items():
            try:
                self._lags[service] = await measure(service, database)
            except StatusError:
                # No figure is better than an old one: `/readyz` says that it is away.
                self._lags.pop(service, None)
        self._unread = await self._ask_broker()

    async def _ask_broker(self) -> dict[tuple[str, str], int]:
        unread: dict[tuple[str, str], int] = {}
        for reader in self._delivery.readers:
            try:
                unread[reader.subscriber, reader.owner] = await reader.unread()
            except StatusError:
                continue
            except BrokerAwayError:
                # It answers none of the others, and each would wait for it.
                break
        return unread

    def collect(self) -> Iterator[Metric]:
        """The figures, as of the last refresh."""
        yield from self._gauges()
        yield from self._counters()
        unread = GaugeMetricFamily(
            "seam_stream_unread_events",
            "Events in the stream of a publisher that a subscriber has not read.",
            labels=("subscriber", "publisher"),
        )
        for names, count in self._unread.items():
            unread.add_metric(names, count)
        yield unread

    def _gauges(self) -> Iterator[Metric]:
        for name, text, figure in (
            ("seam_outbox_events", "Events that are published and not delivered.", "outbox"),
            ("seam_outbox_oldest_seconds", "Age of the first event in the outbox.", "oldest"),
            ("seam_parked_events", "Events that are handled later, after a failure.", "parked"),
            ("seam_dead_letters", "Events that were given up.", "dead"),
        ):
            family = GaugeMetricFamily(name, text, labels=("service",))
            for service, lag in self._lags.items():
                family.add_metric((service,), float(getattr(lag, figure)))
            yield family

    def _counters(self) -> Iterator[Metric]:
        delivered = CounterMetricFamily(
            "seam_events_delivered",
            "Events that this process has taken from the outbox.",
            labels=("service",),
        )
        for service, relay in self._delivery.relays.items():
            delivered.add_metric((service,), relay.delivered)
        yield delivered
        handled = CounterMetricFamily(
            "seam_events_handled",
            "Events that handlers of this process have dealt with.",
            labels=("service",),
        )
        failed = CounterMetricFamily(
            "seam_events_failed",
            "Attempts of handlers of this process that have failed.",
            labels=("service",),
        )
        for service, subscriber in self._delivery.subscribers.items():
            handled.add_metric((service,), subscriber.handled)
            failed.add_metric((service,), subscriber.failed)
        yield handled
        yield failed
