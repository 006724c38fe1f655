"""What tests of shared limits stand on."""

from __future__ import annotations

from seam.testing.databases import postgres_server, stoppable_postgres

__all__ = ["postgres_server", "stoppable_postgres"]
