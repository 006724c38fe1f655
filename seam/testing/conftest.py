from __future__ import annotations

from seam.testing.databases import database_url, postgres_server
from seam.testing.nats import nats_server, stoppable_nats

__all__ = ["database_url", "nats_server", "postgres_server", "stoppable_nats"]
