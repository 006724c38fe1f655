from __future__ import annotations

from seam.testing.databases import database_url, postgres_server

__all__ = ["database_url", "postgres_server"]
