"""Persistence of one service: an engine of its own, and sessions on it."""

from seam.persistence.database import CannotOpenDatabaseError, Database, open_database, shown_url
from seam.persistence.statements import Command, Query, Session
from seam.persistence.text import Text, text_refusal
from seam.persistence.transaction import Transaction
from seam.persistence.upsert import upsert

__all__ = [
    "CannotOpenDatabaseError",
    "Command",
    "Database",
    "Query",
    "Session",
    "Text",
    "Transaction",
    "open_database",
    "shown_url",
    "text_refusal",
    "upsert",
]
