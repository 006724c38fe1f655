"""A NATS server for the time of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from seam.testing.nats import NatsServer


@contextmanager
def nats_server() -> Iterator[NatsServer]:
    """A server with JetStream that ends with the block."""
    with TemporaryDirectory(prefix="nats-") as directory:
        server = NatsServer(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.stop()
