"""Persistence of one service: statements that are made once, and a database that runs them."""

from seam.persistence.current_subject import current_subject
from seam.persistence.database import CannotOpenDatabaseError, Database, open_database, shown_url
from seam.persistence.one_of import one_of
from seam.persistence.postgresql_pool import DEFAULT_POOL, PoolLimits, pool_for
from seam.persistence.statements import Command, Query, Session
from seam.persistence.text import Text, text_refusal
from seam.persistence.transaction import Transaction

__all__ = [
    "DEFAULT_POOL",
    "CannotOpenDatabaseError",
    "Command",
    "Database",
    "PoolLimits",
    "Query",
    "Session",
    "Text",
    "Transaction",
    "current_subject",
    "one_of",
    "open_database",
    "pool_for",
    "shown_url",
    "text_refusal",
]
