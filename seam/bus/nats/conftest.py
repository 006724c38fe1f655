"""Fixtures for tests over real NATS servers."""

from seam.testing.nats import nats_server, stoppable_nats

__all__ = ["nats_server", "stoppable_nats"]
