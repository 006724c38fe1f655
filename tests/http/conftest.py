"""What tests of the front door stand on."""

from __future__ import annotations

from seam.testing.databases import postgres_server

__all__ = ["postgres_server"]
