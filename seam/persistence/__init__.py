"""Persistence of one service: an engine of its own, and sessions on it."""

from seam.persistence.database import CannotOpenDatabaseError, Database, open_database
from seam.persistence.text import Text, text_refusal
from seam.persistence.upsert import upsert

__all__ = ["CannotOpenDatabaseError", "Database", "Text", "open_database", "text_refusal", "upsert"]
